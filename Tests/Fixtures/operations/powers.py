# SPDX-License-Identifier: Apache-2.0
import torch

from . import Case, between, positive, real

CASES = {
    "rsqrt": Case(torch.rsqrt, positive(2, 3)),
    "reciprocal": Case(torch.reciprocal, real(2, 3)),
    "expm1": Case(torch.expm1, real(2, 3)),
    "log1p": Case(torch.log1p, between(-0.7, 2, 2, 3)),
    "log2": Case(torch.log2, positive(2, 3)),
    "log10": Case(torch.log10, positive(2, 3)),
    "erf": Case(torch.erf, real(2, 3)),
    "pow": Case(torch.pow, positive(2, 1, 3), real(4, 1)),
} | {
    f"pow {exponent}": Case(lambda x, e=exponent: x.pow(e), make(2, 3))
    for make, exponents in [(real, [-3.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0]), (positive, [-2.5, -0.5, 0.5, 1.7])]
    for exponent in exponents
} | {
    f"{base} to the power": Case(lambda x, b=base: torch.pow(b, x), real(2, 3)) for base in [0.4, 1.0, 2.5]
}
