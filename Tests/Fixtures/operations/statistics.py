# SPDX-License-Identifier: Apache-2.0
import math

import torch

from . import Case, distinct, real

WHOLE = real(2, 3, 4)
norm = torch.linalg.vector_norm

CASES = {
    "variance": Case(torch.var, WHOLE),
    "variance of an axis": Case(lambda x: x.var(1, keepdim=True), WHOLE),
    "variance without correction": Case(lambda x: x.var((0, -1), correction=0), WHOLE),
    "standardDeviation": Case(torch.std, distinct(2, 3, 4)),
    "standardDeviation without correction": Case(lambda x: x.std(-1, correction=0), distinct(2, 3, 4)),
    "logSumExp": Case(lambda x: x.logsumexp((0, 1, 2)), WHOLE),
    "logSumExp of an axis": Case(lambda x: (5 * x).logsumexp(0, keepdim=True), WHOLE),
}
for p in [0.0, 0.5, 1.0, 2.0, 3.5]:
    CASES |= {
        f"norm {p}": Case(lambda x, p=p: norm(x, p), WHOLE),
        f"norm {p} of last axis": Case(lambda x, p=p: norm(x, p, -1), WHOLE),
    }
for p in [math.inf, -math.inf]:
    CASES |= {f"norm {p}": Case(lambda x, p=p: norm(20 - x, p, -1).square(), distinct(2, 3, 4))}
