# SPDX-License-Identifier: Apache-2.0
import torch

from . import Case, positive, real

PAIR = (real(2, 1, 3), real(4, 1))

CASES = {
    "leaf": Case(lambda x: x * x, real(2, 3)),
    "add": Case(torch.add, *PAIR),
    "add number": Case(lambda x: x + 3, real(2, 3)),
    "subtract": Case(torch.sub, *PAIR),
    "subtract number": Case(lambda x: 3 - (x - 1), real(2, 3)),
    "multiply": Case(torch.mul, *PAIR),
    "multiply number": Case(lambda x: 3 * (x * 2), real(2, 3)),
    "divide": Case(torch.div, *PAIR),
    "divide number": Case(lambda x: x / 3, real(2, 3)),
    "negate": Case(torch.neg, real(2, 3)),
    "square": Case(torch.square, real(2, 3)),
    "sqrt": Case(torch.sqrt, positive(2, 3)),
    "exp": Case(torch.exp, real(2, 3)),
    "log": Case(torch.log, positive(2, 3)),
}
