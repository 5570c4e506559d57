# SPDX-License-Identifier: Apache-2.0
import torch

from . import Case, between

WIDE = between(-4, 4, 5, 7)

CASES = {
    "sigmoid": Case(torch.sigmoid, WIDE),
    "tanh": Case(torch.tanh, WIDE),
    "relu": Case(torch.relu, WIDE),
}
