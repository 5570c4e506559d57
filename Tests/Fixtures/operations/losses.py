# SPDX-License-Identifier: Apache-2.0
from torch.nn import functional

from . import Case, real

CASES = {
    "half squared error": Case(
        lambda x, y: functional.mse_loss(x, y, reduction="sum") / 2, real(3, 5), real(3, 5)
    ),
}
