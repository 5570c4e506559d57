# SPDX-License-Identifier: Apache-2.0
import torch

from . import Case, real

PAIR = (real(2, 3), real(2, 3))

CASES = {
    f"stack {axis}": Case(lambda x, y, a=axis: torch.stack([x, y, x], a).square(), *PAIR)
    for axis in [0, 1, -1]
}
