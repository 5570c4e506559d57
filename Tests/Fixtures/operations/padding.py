# SPDX-License-Identifier: Apache-2.0
import torch

from . import Case, real


def padded(*amounts, mode="constant", value=None):
    """Pads as PyTorch counts: the last axis first."""

    def function(x):
        batch = x if mode == "constant" else x[None, None]
        result = torch.nn.functional.pad(batch, amounts, mode=mode, value=value)
        return (result if mode == "constant" else result[0, 0]).square()

    return function


CASES = {
    "padded with zeros": Case(padded(0, 3, 1, 2), real(2, 3)),
    "padded with 2": Case(padded(2, 2, 0, 0, value=2.0), real(2, 3)),
    "padded by reflection": Case(padded(1, 2, 3, 2, mode="reflect"), real(4, 3)),
    "padded with edges": Case(padded(0, 4, 2, 0, mode="replicate"), real(2, 3)),
    "padded axis": Case(padded(0, 0, 1, 2), real(2, 3, 2)),
    "padded empty": Case(padded(0, 1, 1, 1), real(0, 3)),
}
