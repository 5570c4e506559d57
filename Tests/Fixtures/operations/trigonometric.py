# SPDX-License-Identifier: Apache-2.0
import torch

from . import Case, between, inside_one, real

FUNCTIONS = [
    ("sin", real(2, 3)), ("cos", real(2, 3)), ("tan", real(2, 3)), ("asin", inside_one(2, 3)),
    ("acos", inside_one(2, 3)), ("atan", real(2, 3)), ("sinh", real(2, 3)), ("cosh", real(2, 3)),
    ("asinh", real(2, 3)), ("acosh", between(1.2, 3, 2, 3)), ("atanh", inside_one(2, 3)),
]

CASES = {name: Case(getattr(torch, name), make) for name, make in FUNCTIONS} | {
    "atan2": Case(torch.atan2, real(2, 1, 3), real(4, 1)),
}
