# SPDX-License-Identifier: Apache-2.0
import torch
from torch.nn import functional

from . import Case, positive, real, to_channels_first, to_channels_last


def channels_last(function):
    return lambda x, *rest: to_channels_last(function(to_channels_first(x), *rest))


def instance(x, w, b):
    return functional.instance_norm(x, weight=w, bias=b)


CASES = {
    "batchNormalization": Case(
        channels_last(lambda x, w, b: functional.batch_norm(x, None, None, w, b, True)),
        real(3, 4, 2, 5), real(5), real(5),
    ),
    "batchNormalization without scale": Case(
        lambda x: functional.batch_norm(x, None, None, training=True), real(6, 3)
    ),
    "batchNormalization's statistics": Case(
        lambda x: torch.cat([x.mean((0, 1)), x.var((0, 1), unbiased=False)]), real(3, 4, 5)
    ),
    "batchNormalization by given statistics": Case(
        lambda x, m, v, w, b: (x - m) / (v + 1e-5).sqrt() * w + b, real(3, 4, 2, 5), real(5), positive(5), real(5), real(5)
    ),
    "layerNormalization": Case(
        lambda x, w, b: functional.layer_norm(x, (5,), w, b), real(3, 4, 5), real(5), real(5)
    ),
    "layerNormalization over two axes": Case(
        lambda x, w, b: functional.layer_norm(x, (4, 5), w, b), real(3, 4, 5), real(4, 5), real(4, 5)
    ),
    "layerNormalization without scale": Case(lambda x: functional.layer_norm(x, (5,)), real(3, 5)),
    "instanceNormalization": Case(channels_last(instance), real(2, 4, 3, 5), real(5), real(5)),
    "instanceNormalization of sequences": Case(channels_last(instance), real(2, 6, 3), real(3), real(3)),
    "groupNormalization": Case(
        channels_last(lambda x, w, b: functional.group_norm(x, 3, w, b)), real(2, 4, 3, 6), real(6), real(6)
    ),
    "groupNormalization of features": Case(
        lambda x, w, b: functional.group_norm(x, 2, w, b), real(3, 8), real(8), real(8)
    ),
    "rmsNormalization": Case(
        lambda x, w: functional.rms_norm(x, (5,), w, 1e-6), real(3, 4, 5), real(5)
    ),
}
