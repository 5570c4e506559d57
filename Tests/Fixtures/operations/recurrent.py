# SPDX-License-Identifier: Apache-2.0
import torch

from . import Case, real


def recurrent(function):
    def states(x, input_weight, recurrent_weight, bias, state):
        result = []
        for t in range(x.shape[1]):
            state = function(x[:, t] @ input_weight + state @ recurrent_weight + bias)
            result.append(state)
        return torch.stack(result, 1)

    return states


CASES = {
    f"recurrent {name} {batch} {steps}": Case(
        recurrent(function), real(batch, steps, 2), real(2, 3), real(3, 3), real(3), real(batch, 3)
    )
    for name, function in [("sigmoid", torch.sigmoid), ("relu", torch.relu), ("tanh", torch.tanh), ("silu", torch.nn.functional.silu)]
    for batch, steps in [(1, 1), (2, 3)]
}
