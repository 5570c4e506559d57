# SPDX-License-Identifier: Apache-2.0
import torch

from . import Case, real

WHOLE = real(2, 3, 4)

CASES = {
    "reshaped": Case(lambda x: x.reshape(3, -1).square(), real(2, 6)),
    "permuted": Case(lambda x: x.permute(2, 0, 1).square(), WHOLE),
    "transposed": Case(lambda x: x.mT.square(), WHOLE),
    "broadcast": Case(lambda x: x.broadcast_to(2, 3, 4).square(), real(3, 1)),
} | {
    f"select {index} of {axis}": Case(lambda x, i=index, a=axis: x.select(a, i).square(), WHOLE)
    for axis, index in [(0, 1), (1, -1), (-1, 0)]
}
