# SPDX-License-Identifier: Apache-2.0
import torch

from . import Case, real

WHOLE = real(2, 3, 4)

CASES = {
    "reshaped": Case(lambda x: x.reshape(3, -1).square(), real(2, 6)),
    "permuted": Case(lambda x: x.permute(2, 0, 1).square(), WHOLE),
    "transposed": Case(lambda x: x.mT.square(), WHOLE),
    "flattened": Case(lambda x: x.flatten().square(), WHOLE),
    "flattened from 1 to 2": Case(lambda x: x.flatten(1, 2).square(), real(2, 3, 4, 2)),
    "squeezed": Case(lambda x: x.squeeze().square(), real(1, 3, 1, 2)),
    "squeezed axis": Case(lambda x: x.squeeze(-2).square(), real(3, 1, 2)),
    "expanded": Case(lambda x: x.unsqueeze(-1).square(), real(3, 2)),
    "expanded first": Case(lambda x: x.unsqueeze(0).square(), real(3, 2)),
    "reshaped transpose": Case(lambda x: x.mT.reshape(2, 3, 4).square(), real(4, 6)),
    "swappedAxes": Case(lambda x: x.swapaxes(0, -1).square(), WHOLE),
    "movedAxis": Case(lambda x: x.movedim(0, -1).square(), WHOLE),
    "movedAxis back": Case(lambda x: x.movedim(-1, 0).square(), WHOLE),
    "diagonal": Case(lambda x: x.diagonal(0, -2, -1).square(), real(3, 4)),
    "diagonal 1 of 0 and 2": Case(lambda x: x.diagonal(1, 0, 2).square(), real(3, 2, 4)),
    "diagonal -2": Case(lambda x: x.diagonal(-2, -2, -1).square(), real(2, 4, 3)),
    "diagonal 5": Case(lambda x: x.diagonal(5, -2, -1).square(), real(3, 3)),
    "flipped": Case(lambda x: x.flip(0, 1).square(), real(2, 3)),
    "flipped last": Case(lambda x: x.flip(-1).square(), real(2, 1, 3)),
    "lowerTriangle": Case(lambda x: x.tril().square(), WHOLE),
    "lowerTriangle -1": Case(lambda x: x.tril(-1).square(), real(4, 3)),
    "upperTriangle": Case(lambda x: x.triu().square(), real(4, 3)),
    "upperTriangle 2": Case(lambda x: x.triu(2).square(), real(3, 4)),
    "broadcast": Case(lambda x: x.broadcast_to(2, 3, 4).square(), real(3, 1)),
} | {
    f"select {index} of {axis}": Case(lambda x, i=index, a=axis: x.select(a, i).square(), WHOLE)
    for axis, index in [(0, 1), (1, -1), (-1, 0)]
}
