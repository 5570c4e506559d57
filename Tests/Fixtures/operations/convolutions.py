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


def transposed2D(image, weight, stride=(1, 1), cut=0, extra=(0, 0), dilation=(1, 1), groups=1, crop=None):
    """The kernel is [height, width, outputs / groups, inputs]. `crop` is what is cut off at each side besides, as of
    torch's pad."""

    def function(x, w, b):
        w = w.permute(3, 2, 0, 1).contiguous()
        y = functional.conv_transpose2d(to_channels_first(x), w, b, stride, cut, extra, groups, dilation)
        return to_channels_last(y if crop is None else functional.pad(y, crop))

    return Case(function, real(*image), real(*weight), real(weight[2] * groups))


def transposed1D(crop):
    def function(x, w, b):
        y = functional.conv_transpose1d(to_channels_first(x), w.permute(2, 1, 0).contiguous(), None, stride=2)
        return to_channels_last(functional.pad(y, crop)) + b

    return Case(function, real(2, 4, 3), real(4, 2, 3), real(2))


def same_crop(kernel, stride):
    """What "same" cuts off of an axis, or adds to it, as of torch's pad."""
    before = max(kernel - stride, 0) // 2
    return -before, before + stride - kernel


def biasless():
    def function(x, w):
        return to_channels_last(functional.conv2d(to_channels_first(x), to_torch_kernel(w)))

    return Case(function, real(1, 3, 3, 2), real(2, 2, 2, 3))


def filled():
    """A kernel shorter than the stride leaves gaps, in which there is only the bias: also at the end."""

    def function(x, w, b):
        y = functional.conv_transpose2d(to_channels_first(x), w.permute(3, 2, 0, 1).contiguous(), None, 3)
        return to_channels_last(functional.pad(y, same_crop(1, 3) + same_crop(2, 3))) + b

    return Case(function, real(1, 2, 3, 1), real(2, 1, 2, 1), real(2))


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
    "convolution2D one element": convolution2D([1, 1, 1, 1], [1, 1, 1, 1]),
    "convolution2D odd channels": convolution2D(
        [1, 5, 4, 17], [2, 3, 17, 19], margins=same(4, 3, 1) + same(5, 2, 1)
    ),
    "convolution2D single pixels in steps": convolution2D([2, 5, 5, 4], [1, 1, 4, 3], (2, 2)),
    "convolution2D without bias": biasless(),
    "transposedConvolution2D valid": transposed2D([2, 3, 4, 3], [3, 2, 2, 3]),
    "transposedConvolution2D output padding": transposed2D([1, 3, 2, 2], [3, 3, 3, 2], (2, 3), 1, (1, 2)),
    "transposedConvolution2D output padding in dilation": transposed2D(
        [1, 3, 2, 2], [2, 3, 1, 2], (1, 1), (1, 0), (1, 2), (2, 3)
    ),
    "transposedConvolution2D groups": transposed2D([1, 3, 3, 4], [2, 3, 3, 4], (2, 2), groups=2),
    "transposedConvolution2D same": transposed2D(
        [1, 3, 4, 2], [3, 4, 2, 2], (2, 3), crop=same_crop(4, 3) + same_crop(3, 2)
    ),
    "transposedConvolution2D gaps": filled(),
    "transposedConvolution1D valid": transposed1D((0, 0)),
    "transposedConvolution1D explicit": transposed1D((-1, -1)),
    "transposedConvolution1D same": transposed1D((-1, -1)),
    "transposedConvolution1D causal": transposed1D((0, -2)),
}
