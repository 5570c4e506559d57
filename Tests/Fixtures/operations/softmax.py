# SPDX-License-Identifier: Apache-2.0
import torch

from . import Case, real

CASES = {}
for name, function in [("softmax", torch.softmax), ("logSoftmax", torch.log_softmax)]:
    CASES |= {
        name: Case(lambda x, f=function: f(x, -1), real(2, 3, 4)),
        f"{name} of an axis": Case(lambda x, f=function: f(x, 0), real(2, 3, 4)),
        f"{name} of large numbers": Case(lambda x, f=function: f(10 * x, -1), real(3, 5)),
    }
