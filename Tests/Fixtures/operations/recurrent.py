# SPDX-License-Identifier: Apache-2.0
import torch

from . import Case, positive, real


def recurrent(function, offsets):
    def states(x, input_weight, recurrent_weight, bias, state):
        result = []
        for t in range(x.shape[1]):
            state = function(x[:, t] @ input_weight + state @ recurrent_weight + bias + torch.tensor(offsets))
            result.append(state)
        return torch.stack(result, 1)

    return states


# The rectifier's units keep away from its corner.
FUNCTIONS = [
    ("sigmoid", torch.sigmoid, real, [0, 0, 0]), ("relu", torch.relu, positive, [0, -1000, 0]),
    ("tanh", torch.tanh, real, [0, 0, 0]), ("silu", torch.nn.functional.silu, real, [0, 0, 0]),
]

CASES = {
    f"recurrent {name} {batch} {steps}": Case(
        recurrent(function, offsets), make(batch, steps, 2), make(2, 3), make(3, 3), make(3), make(batch, 3)
    )
    for name, function, make, offsets in FUNCTIONS
    for batch, steps in [(1, 1), (2, 3)]
}
