# SPDX-License-Identifier: Apache-2.0
import torch

from . import Case, distinct, real

WHOLE = real(2, 3, 4)

CASES = {
    "sum": Case(lambda x: x.square().sum(), WHOLE),
    "sum of first axis": Case(lambda x: x.sum(0).square(), WHOLE),
    "sum of last axis": Case(lambda x: x.sum(-1, keepdim=True).square(), WHOLE),
    "sum of two axes": Case(lambda x: x.sum((0, -1)).square(), WHOLE),
    "mean": Case(lambda x: x.mean().square(), WHOLE),
    "mean of an axis": Case(lambda x: x.mean(1, keepdim=True).square(), WHOLE),
    "product": Case(lambda x: x.prod(), WHOLE),
    "product of first axis": Case(lambda x: x.prod(0), WHOLE),
    "product of two axes": Case(lambda x: x.prod(0, keepdim=True).prod(-1, keepdim=True), WHOLE),
    "cumulativeSum": Case(lambda x: x.cumsum(-1).square(), WHOLE),
    "cumulativeSum of first axis": Case(lambda x: x.cumsum(0).square(), WHOLE),
    "cumulativeSum reversed": Case(lambda x: x.flip(1).cumsum(1).flip(1).square(), WHOLE),
    "cumulativeProduct": Case(lambda x: x.cumprod(-1), WHOLE),
    "cumulativeProduct of first axis": Case(lambda x: x.cumprod(0), WHOLE),
    "countNonzero": Case(lambda x: (x > 0).count_nonzero(), WHOLE),
    "countNonzero of last axis": Case(lambda x: x.relu().count_nonzero(-1), WHOLE),
    "any": Case(lambda x: (x > 0).any(), WHOLE),
    "any of last axis": Case(lambda x: x.relu().bool().any(-1), WHOLE),
    "all": Case(lambda x: (x > 0).all(), WHOLE),
    "all of last axis": Case(lambda x: x.relu().bool().all(-1), WHOLE),
}
for name, function in [("max", torch.amax), ("min", torch.amin)]:
    CASES |= {
        name: Case(lambda x, f=function: f(x, (0, 1, 2)).square(), distinct(2, 3, 4)),
        f"{name} of last axis": Case(lambda x, f=function: f(x, -1).square(), distinct(2, 3, 4)),
        f"{name} of two axes": Case(lambda x, f=function: f(x, (0, -1)).square(), distinct(2, 3, 4)),
    }
for name, function in [("argmax", torch.argmax), ("argmin", torch.argmin)]:
    CASES |= {
        name: Case(function, distinct(2, 3, 4)),
        f"{name} of last axis": Case(lambda x, f=function: f(x, -1), distinct(2, 3, 4)),
        f"{name} of first axis": Case(lambda x, f=function: f(x, 0, keepdim=True), distinct(2, 3, 4)),
    }
