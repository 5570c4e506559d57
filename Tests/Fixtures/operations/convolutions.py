# SPDX-License-Identifier: Apache-2.0
import math

from torch.nn import functional

from . import Case, real, to_channels_first, to_channels_last, to_torch_kernel


def same(size, kernel, stride, dilation=1):
    """The margins before and after an axis by TensorFlow's definition of "same"."""
    total = max((math.ceil(size / stride) - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2


def convolution2D(image, weight, stride=(1, 1), margins=(0, 0, 0, 0), dilation=(1, 1), groups=1):
    """`margins` are left, right, top and bottom, as of torch's pad."""

    def function(x, w, b):
        x = functional.pad(to_channels_first(x), margins)
        y = functional.conv2d(x, to_torch_kernel(w), b, stride, 0, dilation, groups)
        return to_channels_last(y)

    return Case(function, real(*image), real(*weight), real(weight[3]))


def convolution1D(margins):
    def function(x, w, b):
        x = functional.pad(to_channels_first(x), margins)
        return to_channels_last(functional.conv1d(x, to_torch_kernel(w), b, stride=2, dilation=2))

    return Case(function, real(2, 6, 2), real(3, 2, 2), real(2))


CASES = {
    "convolution2D valid": convolution2D([2, 4, 5, 3], [3, 2, 3, 2]),
    "convolution2D 1 by 1": convolution2D([1, 5, 4, 2], [1, 1, 2, 3]),
    "convolution2D same": convolution2D(
        [1, 5, 6, 2], [3, 3, 2, 1], (2, 3), same(6, 3, 3) + same(5, 3, 2)
    ),
    "convolution2D explicit": convolution2D(
        [1, 4, 3, 1], [2, 3, 1, 2], margins=(1, 3, 2, 0), dilation=(2, 1)
    ),
    "convolution2D larger kernel": convolution2D([1, 2, 2, 1], [5, 3, 1, 1], (2, 2), (2, 2, 2, 2)),
    "convolution2D groups": convolution2D([1, 3, 4, 4], [2, 2, 2, 6], groups=2),
    "convolution2D depthwise": convolution2D(
        [2, 4, 4, 3], [3, 3, 1, 6], (2, 2), same(4, 3, 2) + same(4, 3, 2), groups=3
    ),
    "convolution2D gaps": convolution2D([1, 6, 6, 1], [2, 2, 1, 1], (3, 3)),
    "convolution1D valid": convolution1D((0, 0)),
    "convolution1D same": convolution1D(same(6, 3, 2, 2)),
    "convolution1D causal": convolution1D((4, 0)),
    "convolution1D explicit": convolution1D((1, 0)),
}
