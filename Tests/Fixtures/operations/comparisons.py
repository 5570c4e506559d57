# SPDX-License-Identifier: Apache-2.0
import torch

from . import Case, between, boolean, real

OPERATORS = {".==": torch.eq, ".!=": torch.ne, ".<": torch.lt, ".<=": torch.le, ".>": torch.gt, ".>=": torch.ge}
TRUTH = {".&": torch.logical_and, ".|": torch.logical_or, ".^": torch.logical_xor}

CASES = {
    "where": Case(torch.where, boolean(2, 3), real(2, 3), real(3)),
    "where not, a number": Case(lambda c, x: torch.where(c, x, 2.0), boolean(3), real(2, 3)),
    "where, a number": Case(lambda c, x: torch.where(c, 2.0, x), boolean(2, 1), real(2, 3)),
    ".!": Case(torch.logical_not, boolean(2, 3)),
    "isNaN": Case(lambda x: x.log().isnan(), real(2, 3)),
    "isInfinite": Case(lambda x: (10_000 * x).exp().isinf(), real(2, 3)),
    "isFinite": Case(lambda x: ((10_000 * x).exp() - x.log()).isfinite(), real(2, 3)),
}
for name, function in OPERATORS.items():
    CASES |= {
        name: Case(function, real(2, 1, 3), real(4, 1)),
        f"{name} of whole numbers": Case(
            lambda x, y, f=function: f(x.round(), y.round()), between(-2, 2, 2, 1, 3), between(-2, 2, 4, 1)
        ),
        f"{name} 1": Case(lambda x, f=function: f(x.round(), 1.0), between(-2, 2, 4, 3)),
    }
CASES |= {name: Case(function, boolean(2, 1, 3), boolean(4, 1)) for name, function in TRUTH.items()}
