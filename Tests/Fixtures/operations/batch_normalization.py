# SPDX-License-Identifier: Apache-2.0
import torch
from torch.nn import functional

from . import Case, positive, real
from .normalization import channels_last


def batch(x, w, b):
    return channels_last(lambda x, w, b: functional.batch_norm(x, None, None, w, b, True))(x, w, b)


CASES = {
    "batchNormalization, rectified": Case(
        lambda x, w, b: batch(x, w, b).relu(), real(3, 4, 2, 5), real(5), real(5)
    ),
    "batchNormalization with a residual": Case(
        lambda x, w, b, r: batch(x, w, b) + r, real(3, 4, 2, 5), real(5), real(5), real(3, 4, 2, 5)
    ),
    "batchNormalization with a residual, rectified": Case(
        lambda x, w, b, r: (batch(x, w, b) + r).relu(), real(3, 4, 2, 5), real(5), real(5), real(3, 4, 2, 5)
    ),
    "batchNormalization with a residual and a sigmoid": Case(
        lambda x, w, b, r: (batch(x, w, b) + r).sigmoid(), real(3, 4, 2, 5), real(5), real(5), real(3, 4, 2, 5)
    ),
    "batchNormalization by given statistics, rectified": Case(
        lambda x, m, v, w, b, r: ((x - m) / (v + 1e-5).sqrt() * w + b + r).relu(),
        real(3, 4, 2, 5), real(5), positive(5), real(5), real(5), real(3, 4, 2, 5),
    ),
}
