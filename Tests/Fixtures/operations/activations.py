# SPDX-License-Identifier: Apache-2.0
import torch
from torch.nn import functional

from . import Case, between, real

WIDE = between(-4, 4, 5, 7)


def gated_tanh(x):
    signal, gate = x.chunk(2, -1)
    return signal.tanh() * gate.sigmoid()


CASES = {
    "sigmoid": Case(torch.sigmoid, WIDE),
    "tanh": Case(torch.tanh, WIDE),
    "relu": Case(torch.relu, WIDE),
    "softplus": Case(functional.softplus, WIDE),
    "gelu": Case(functional.gelu, WIDE),
    "silu": Case(functional.silu, WIDE),
    "hardTanh": Case(lambda x: functional.hardtanh(x, -0.1, 5.0), WIDE),
    "hardTanh above": Case(lambda x: functional.hardtanh(x, -5.0, 0.1), WIDE),
    "relu6": Case(functional.relu6, WIDE),
    "relu6 of large numbers": Case(lambda x: functional.relu6(35 * x), real(5, 7)),
    "leakyReLU": Case(functional.leaky_relu, WIDE),
    "leakyReLU 0.2": Case(lambda x: functional.leaky_relu(x, 0.2), WIDE),
    # PyTorch's channels are the second axis.
    "prelu": Case(lambda x, a: functional.prelu(x.movedim(-1, 1), a).movedim(1, -1), real(2, 3, 4), real(4)),
    "prelu with one slope": Case(lambda x, a: functional.prelu(x, a.reshape(1)), real(2, 3), real()),
    "elu": Case(functional.elu, WIDE),
    "elu 0.5": Case(lambda x: functional.elu(x, 0.5), WIDE),
    "elu of large numbers": Case(lambda x: functional.elu(1000 * x), real(2, 3)),
    "selu": Case(functional.selu, WIDE),
    "geluTanh": Case(lambda x: functional.gelu(x, approximate="tanh"), WIDE),
    "mish": Case(functional.mish, WIDE),
    "glu": Case(functional.glu, real(2, 3, 4)),
    "glu of an axis": Case(lambda x: functional.glu(x, 1), real(2, 6, 1)),
    "softsign": Case(functional.softsign, WIDE),
    "hardSigmoid": Case(functional.hardsigmoid, WIDE),
    "hardSigmoid of large numbers": Case(lambda x: functional.hardsigmoid(20 * x), real(2, 3)),
    "hardSwish": Case(functional.hardswish, WIDE),
    "hardSwish of large numbers": Case(lambda x: functional.hardswish(20 * x), real(2, 3)),
} | {
    f"gatedTanh {shape}": Case(gated_tanh, real(*shape)) for shape in [[2, 3, 8], [0, 4], [6], [5, 66]]
}
