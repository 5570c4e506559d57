# SPDX-License-Identifier: Apache-2.0
from torch.nn import functional

from . import Case, distinct, real, to_channels_first, to_channels_last
from .convolutions import same


def channels_last(function):
    return lambda x: to_channels_last(function(to_channels_first(x)))


def maximum(shape, size, stride=None, margins=(0, 0, 0, 0), rounds_up=False):
    """`margins` as of torch's pad, filled with what is never the maximum."""

    def function(x):
        x = functional.pad(x, margins, value=-1e30)
        return functional.max_pool2d(x, size, stride, ceil_mode=rounds_up)

    return Case(channels_last(function), distinct(*shape))


def average(shape, size, stride=None, padding=0, rounds_up=False, counts_padding=False):
    def function(x):
        return functional.avg_pool2d(x, size, stride, padding, rounds_up, counts_padding)

    return Case(channels_last(function), real(*shape))


def same_average(shape, size, stride):
    """An average over what of a window lies in the image: the sums over the numbers of pixels."""

    def function(x):
        margins = same(shape[2], size[1], stride[1]) + same(shape[1], size[0], stride[0])
        sums = functional.avg_pool2d(functional.pad(x, margins), size, stride)
        return sums / functional.avg_pool2d(functional.pad(x * 0 + 1, margins), size, stride)

    return Case(channels_last(function), real(*shape))


CASES = {
    "maxPool2D": maximum([2, 5, 6, 3], (2, 2)),
    "maxPool2D overlapping": maximum([1, 7, 6, 2], (3, 2), (2, 1)),
    "maxPool2D same": maximum(
        [1, 5, 6, 2], (3, 2), (2, 2), same(6, 2, 2) + same(5, 3, 2)
    ),
    "maxPool2D explicit": maximum([1, 4, 5, 2], (3, 3), (2, 2), (1, 1, 1, 1)),
    "maxPool2D rounding up": Case(
        channels_last(lambda x: functional.max_pool2d(x, 3, 2, 1, ceil_mode=True)), distinct(1, 6, 5, 2)
    ),
    "maxPool2D many channels": maximum([1, 4, 4, 70], (2, 2)),
    "maxPool1D": Case(channels_last(lambda x: functional.max_pool1d(x, 3, 2, 1)), distinct(2, 8, 3)),
    "globalMaxPool2D": Case(lambda x: x.amax((1, 2)), distinct(2, 3, 4, 3)),
    "adaptiveMaxPool2D": Case(
        channels_last(lambda x: functional.adaptive_max_pool2d(x, (3, 4))), distinct(1, 7, 9, 2)
    ),
    "adaptiveMaxPool1D": Case(
        channels_last(lambda x: functional.adaptive_max_pool1d(x, 3)), distinct(2, 7, 2)
    ),
    "averagePool2D": average([2, 5, 6, 3], (2, 2)),
    "averagePool2D overlapping": average([1, 7, 6, 2], (3, 2), (2, 1)),
    "averagePool2D same": same_average([1, 5, 6, 2], (3, 2), (2, 2)),
    "averagePool2D margins counted": average([1, 4, 5, 2], (3, 3), (2, 2), 1, counts_padding=True),
    "averagePool2D margins not counted": average([1, 4, 5, 2], (3, 3), (2, 2), 1),
    "averagePool2D rounding up": average([1, 6, 5, 2], (3, 3), (2, 2), 1, True, True),
    "averagePool2D rounding up, not counted": average([1, 6, 5, 2], (3, 3), (2, 2), 1, True),
    "averagePool1D": Case(
        channels_last(lambda x: functional.avg_pool1d(x, 3, 2, 1, count_include_pad=True)), real(2, 8, 3)
    ),
    "globalAveragePool2D": Case(lambda x: x.mean((1, 2)), real(2, 3, 4, 3)),
    "globalAveragePool2D keeping axes": Case(lambda x: x.mean((1, 2), keepdim=True), real(2, 3, 4, 3)),
    "adaptiveAveragePool2D": Case(
        channels_last(lambda x: functional.adaptive_avg_pool2d(x, (3, 4))), real(1, 7, 9, 2)
    ),
    "adaptiveAveragePool2D more than there are": Case(
        channels_last(lambda x: functional.adaptive_avg_pool2d(x, (3, 5))), real(1, 2, 3, 2)
    ),
    "adaptiveAveragePool1D": Case(
        channels_last(lambda x: functional.adaptive_avg_pool1d(x, 3)), real(2, 7, 2)
    ),
}
