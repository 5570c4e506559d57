# SPDX-License-Identifier: Apache-2.0
import torch

from . import Case, between, positive, real

PAIR = (real(2, 1, 3), real(4, 1))

NEAR = (real(2, 1, 3), between(-0.1, 0.1, 4, 1))
STEPS = between(-3, 3, 2, 3)

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
    "abs": Case(torch.abs, real(2, 3)),
    "maximum": Case(torch.maximum, *NEAR),
    "minimum": Case(torch.minimum, *NEAR),
    "remainder": Case(torch.remainder, real(2, 1, 3), between(1.3, 2.5, 4, 1)),
    "remainder by negative": Case(
        lambda x, y: torch.remainder(3 * x, -3 * y), real(2, 1, 3), between(1.3, 2.5, 4, 1)
    ),
    "remainder by number": Case(lambda x: torch.remainder(x, -2.5), real(2, 3)),
    "clipped": Case(lambda x: x.clamp(-0.1, 5), real(2, 3)),
    "clipped above": Case(lambda x: x.clamp(max=0.1), real(2, 3)),
    "clipped below": Case(lambda x: x.clamp(min=0), real(2, 3)),
    "sign": Case(torch.sign, STEPS, is_differentiable=False),
    "floor": Case(torch.floor, STEPS, is_differentiable=False),
    "ceil": Case(torch.ceil, STEPS, is_differentiable=False),
    "round": Case(torch.round, STEPS, is_differentiable=False),
    "lerp": Case(torch.lerp, real(2, 3), real(3), real(2, 1)),
    "lerp by number": Case(lambda x, y: torch.lerp(x, y, 0.3), *PAIR),
}
