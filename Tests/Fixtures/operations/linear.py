# SPDX-License-Identifier: Apache-2.0
import torch
from torch.nn import functional

from . import Case, real

SHAPES = [([2, 3], 4), ([3], 2), ([2, 3, 4], 5), ([0, 3], 2), ([2, 0], 3), ([5, 33], 9)]

ACTIVATIONS = {
    "with bias": lambda x: x,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "softsign": functional.softsign,
}


def activated(function):
    return lambda x, weight, bias: function(x @ weight + bias)


CASES = {f"linear {x} {outputs}": Case(torch.matmul, real(*x), real(x[-1], outputs)) for x, outputs in SHAPES} | {
    f"linear {name}": Case(activated(function), real(4, 3), real(3, 5), real(5))
    for name, function in ACTIVATIONS.items()
}
