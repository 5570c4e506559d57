# SPDX-License-Identifier: Apache-2.0
"""Reference numbers for the operations, one module a family; see ../operations.py."""
from dataclasses import dataclass
from typing import Callable

import torch


@dataclass
class Case:
    """A function of tensors, and what it is called with: tensors, or makers such as `real(2, 3)`."""

    function: Callable
    inputs: tuple
    is_differentiable: bool = True

    def __init__(self, function, *inputs, is_differentiable=True):
        self.function, self.inputs, self.is_differentiable = function, inputs, is_differentiable


def real(*shape):
    """Numbers of either sign, away from zero."""
    return lambda random: _float(random.uniform(0.2, 1.2, shape) * random.choice([-1.0, 1.0], shape))


def positive(*shape):
    """Numbers in [0.2, 1.2)."""
    return between(0.2, 1.2, *shape)


def inside_one(*shape):
    """Numbers of either sign with magnitudes in [0.1, 0.8)."""
    return lambda random: _float(random.uniform(0.1, 0.8, shape) * random.choice([-1.0, 1.0], shape))


def between(lower, upper, *shape):
    """Numbers in [lower, upper)."""
    return lambda random: _float(random.uniform(lower, upper, shape))


def distinct(*shape):
    """Numbers of which any two are at least 0.05 apart."""

    def make(random):
        count = torch.Size(shape).numel()
        places = random.permutation(count) - count // 2
        return _float((0.1 * places + random.uniform(0, 0.05, count)).reshape(shape))

    return make


def index(below, *shape):
    """Whole numbers from zero up to, and without, a bound."""
    return lambda random: torch.as_tensor(random.integers(0, below, shape), dtype=torch.int64)


def boolean(*shape):
    """True and false."""
    return lambda random: torch.as_tensor(random.integers(0, 2, shape), dtype=torch.bool)


def _float(values):
    return torch.as_tensor(values, dtype=torch.float32)


def to_channels_first(images):
    """From [batch, ..., channels] to [batch, channels, ...]."""
    return images.movedim(-1, 1).contiguous()


def to_channels_last(images):
    """From [batch, channels, ...] to [batch, ..., channels]."""
    return images.movedim(1, -1)


def to_torch_kernel(weight):
    """From [..., inputs / groups, outputs] to [outputs, inputs / groups, ...]."""
    return weight.movedim(-1, 0).movedim(-1, 1).contiguous()
