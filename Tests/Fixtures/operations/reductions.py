# SPDX-License-Identifier: Apache-2.0
import torch

from . import Case, real

WHOLE = real(2, 3, 4)

CASES = {
    "sum": Case(lambda x: x.square().sum(), WHOLE),
    "sum of first axis": Case(lambda x: x.sum(0).square(), WHOLE),
    "sum of last axis": Case(lambda x: x.sum(-1, keepdim=True).square(), WHOLE),
    "sum of two axes": Case(lambda x: x.sum((0, -1)).square(), WHOLE),
    "mean": Case(lambda x: x.mean().square(), WHOLE),
    "mean of an axis": Case(lambda x: x.mean(1, keepdim=True).square(), WHOLE),
}
