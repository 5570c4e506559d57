# SPDX-License-Identifier: Apache-2.0
import torch

from . import Case, real

PAIR = (real(2, 3), real(2, 3))

CASES = {
    f"stack {axis}": Case(lambda x, y, a=axis: torch.stack([x, y, x], a).square(), *PAIR)
    for axis in [0, 1, -1]
} | {
    "concatenate": Case(lambda x, y: torch.cat([x, y]).square(), real(2, 3), real(4, 3)),
    "concatenate last": Case(lambda x, y: torch.cat([x, y, x], -1).square(), real(2, 1, 3), real(2, 1, 2)),
    "concatenate empty": Case(lambda x, y: torch.cat([x, y], 1).square(), real(2, 0), real(2, 3)),
    "split": Case(lambda x, y: (x[:2] * x[4:] + x[2:4] * y).square(), real(6, 2), real(2)),
    "split sizes": Case(
        lambda x, y: (x[:, :1] * x[:, 1:4] + x[:, 4:].sum(1, keepdim=True) * y).square(), real(2, 6), real(2, 1)),
    "unstacked": Case(lambda x, y: (x[0] * x[2] + x[1] * y).square(), real(3, 2), real(2)),
    "tiled": Case(lambda x: x.tile(3, 2).square(), real(2, 3)),
    "tiled new axis": Case(lambda x: x.tile(2, 1, 2).square(), real(2, 3)),
    "tiled last": Case(lambda x: x.tile(2).square(), real(2, 3)),
    "tiled 0": Case(lambda x: x.tile(0, 1).square(), real(2, 3)),
    "repeated": Case(lambda x: x.repeat_interleave(2, -1).square(), real(2, 3)),
    "rolled": Case(lambda x: x.roll(2, -1).square(), real(2, 5)),
    "rolled back": Case(lambda x: x.roll(-7, 0).square(), real(5, 2)),
}
