# SPDX-License-Identifier: Apache-2.0
"""Recurrent layers in JAX: parameters as dictionaries, sequences [time, batch, features]."""
import jax
import jax.numpy as jnp


def _uniform(keys, shape, fan):
    bound = fan**-0.5
    return jax.random.uniform(next(keys), shape, minval=-bound, maxval=bound)


def dense(keys, inputs, outputs, bias=True):
    parameters = {"weight": _uniform(keys, (inputs, outputs), inputs)}
    if bias:
        parameters["bias"] = jnp.zeros(outputs)
    return parameters


def apply_dense(p, x):
    product = x @ p["weight"]
    return product + p["bias"] if "bias" in p else product


def _recurrent(keys, inputs, hidden, gates, bias=True):
    parameters = {
        "input": _uniform(keys, (inputs, gates * hidden), hidden),
        "recurrent": _uniform(keys, (hidden, gates * hidden), hidden),
    }
    if bias:
        parameters["bias"] = jnp.zeros(gates * hidden)
    return parameters


def simple(keys, inputs, hidden, bias=True):
    return _recurrent(keys, inputs, hidden, 1, bias)


def lstm(keys, inputs, hidden):
    return _recurrent(keys, inputs, hidden, 4)


def gru(keys, inputs, hidden):
    return {**_recurrent(keys, inputs, hidden, 3), "inner_bias": jnp.zeros(3 * hidden)}


def _projected(p, x):
    product = x @ p["input"]
    return product + p["bias"] if "bias" in p else product


def _initial(p, x):
    return jnp.zeros((x.shape[1], p["recurrent"].shape[0]))


def run_simple(p, x):
    """The states of a simple recurrent network with tanh."""

    def step(state, projected):
        state = jnp.tanh(projected + state @ p["recurrent"])
        return state, state

    return jax.lax.scan(step, _initial(p, x), _projected(p, x))[1]


def _lstm_gates(projected, p, state):
    hidden, cell = state
    i, f, g, o = jnp.split(projected + hidden @ p["recurrent"], 4, axis=-1)
    cell = jax.nn.sigmoid(f) * cell + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(cell), cell


def step_lstm(p, x, state):
    return _lstm_gates(_projected(p, x), p, state)


def run_lstm(p, x, reverse=False, with_last=False):
    """The hidden states, and where asked for the last hidden state and cell."""

    def step(state, projected):
        state = _lstm_gates(projected, p, state)
        return state, state[0]

    start = (_initial(p, x), _initial(p, x))
    last, states = jax.lax.scan(step, start, _projected(p, x), reverse=reverse)
    return (states, last) if with_last else states


def run_gru(p, x):
    """The states, the reset gate after the product as in PyTorch."""

    def step(state, projected):
        inner = state @ p["recurrent"] + p["inner_bias"]
        outer_gates, outer = jnp.split(projected, [2 * state.shape[-1]], axis=-1)
        inner_gates, inner = jnp.split(inner, [2 * state.shape[-1]], axis=-1)
        reset, update = jnp.split(jax.nn.sigmoid(outer_gates + inner_gates), 2, axis=-1)
        candidate = jnp.tanh(outer + reset * inner)
        state = (1 - update) * candidate + update * state
        return state, state

    return jax.lax.scan(step, _initial(p, x), _projected(p, x))[1]


def cross_entropy(logits, targets):
    """The mean over all places."""
    logarithms = jax.nn.log_softmax(logits)
    return -jnp.mean(jnp.take_along_axis(logarithms, targets[..., None], axis=-1))
