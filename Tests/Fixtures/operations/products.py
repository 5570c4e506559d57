# SPDX-License-Identifier: Apache-2.0
import torch

from . import Case, real

SHAPES = [
    ([2, 3], [3, 4]), ([1, 5], [5, 1]), ([0, 3], [3, 2]), ([2, 0], [0, 3]), ([2, 3, 4], [4, 5]),
    ([2, 3, 4], [2, 4, 5]), ([3, 4], [2, 4, 5]), ([2, 1, 3, 2], [5, 2, 3]), ([7, 33], [33, 9]),
]

CASES = {f"matmul {a} {b}": Case(torch.matmul, real(*a), real(*b)) for a, b in SHAPES}
