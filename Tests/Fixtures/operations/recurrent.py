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


def simple_step(projected, state, weight):
    return (torch.tanh(projected + state[0] @ weight),)


def lstm_step(projected, state, weight):
    h, c = state
    i, f, g, o = (projected + h @ weight).chunk(4, -1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def gru_step(projected, state, weight, bias):
    (h,) = state
    (x_r, x_z, x_n), (h_r, h_z, h_n) = projected.chunk(3, -1), (h @ weight + bias).chunk(3, -1)
    n = torch.tanh(x_n + torch.sigmoid(x_r + h_r) * h_n)
    z = torch.sigmoid(x_z + h_z)
    return ((1 - z) * n + z * h,)


def gru_before_step(projected, state, weight):
    (h,) = state
    (x_r, x_z, x_n), (u_r, u_z, u_n) = projected.chunk(3, -1), weight.chunk(3, -1)
    n = torch.tanh(x_n + (torch.sigmoid(x_r + h @ u_r) * h) @ u_n)
    z = torch.sigmoid(x_z + h @ u_z)
    return ((1 - z) * n + z * h,)


def layer(step, state_count, lengths, is_reversed, shows_final=True):
    """Sequence by sequence, each over its own steps."""

    def run(x, input_weight, weight, bias, *rest):
        more, states = rest[: len(rest) - state_count], rest[len(rest) - state_count :]
        outputs, finals = [], []
        for b in range(x.shape[0]):
            length = x.shape[1] if lengths is None else lengths[b]
            state = tuple(s[b : b + 1] for s in states)
            own = [torch.zeros_like(states[0][b])] * x.shape[1]
            for t in reversed(range(length)) if is_reversed else range(length):
                state = step(x[b : b + 1, t] @ input_weight + bias, state, weight, *more)
                own[t] = state[0][0]
            outputs.append(torch.stack(own))
            finals.append([s[0] for s in state])
        parts = [torch.stack(outputs)]
        if shows_final:
            parts += [torch.stack(part) for part in zip(*finals)]
        return torch.cat([part.reshape(-1) for part in parts]) if shows_final else parts[0]

    return run


VARIANTS = [
    ("plain", 2, 3, None, False), ("reversed", 1, 2, None, True), ("lengths", 3, 3, [2, 0, 3], False),
    ("lengths reversed", 2, 3, [1, 3], True),
]
LAYERS = [
    ("lstm", lstm_step, 4, 2, 1), ("gru", gru_step, 3, 1, 2), ("gru before", gru_before_step, 3, 1, 1),
    ("recurrent tanh", simple_step, 1, 1, 1),
]

for name, step, gates, states, biases in LAYERS:
    for variant, batch, steps, lengths, is_reversed in VARIANTS:
        CASES[f"{name} {variant}"] = Case(
            layer(step, states, lengths, is_reversed, shows_final=step is not simple_step),
            real(batch, steps, 2), real(2, 3 * gates), real(3, 3 * gates),
            *[real(3 * gates)] * biases, *[real(batch, 3)] * states,
        )
