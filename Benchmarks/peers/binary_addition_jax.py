# SPDX-License-Identifier: Apache-2.0
"""Times one training iteration of binary addition in JAX, the whole iteration under one jit.

    python3 Benchmarks/peers/binary_addition_jax.py [--seconds S] [--threads N] [--json]

Forward, gradient and update are one compiled CPU function, in float32, waited for each time:

    u(t) = x(t) W_in + z(t-1) W    z(t) = sigmoid(u(t))    y(t) = sigmoid(z(t) W_out)
    E = sum over t of (y(t) - d(t))^2 / 2

8 bits, 16 hidden units, standard-normal weights, SGD at 0.1, one problem an iteration. The loop
over the steps is unrolled as it is traced. Dispatch is synchronous: handing a function this small
to another thread and waiting for it takes longer than running it.
"""
import os

import timing

arguments = timing.parse_arguments(__doc__)
os.environ["JAX_PLATFORMS"] = "cpu"

import jax  # noqa: E402  after the thread variables are set
import jax.numpy as jnp  # noqa: E402

BITS = 8
HIDDEN = 16
LEARNING_RATE = 0.1

jax.config.update("jax_cpu_enable_async_dispatch", False)


def make_parameters(key):
    shapes = {
        "weight_input": (2, HIDDEN),
        "weight_hidden": (HIDDEN, HIDDEN),
        "weight_output": (HIDDEN, 1),
    }
    keys = jax.random.split(key, len(shapes))
    return {name: jax.random.normal(k, shape) for k, (name, shape) in zip(keys, shapes.items())}


def loss_of(parameters, inputs, targets):
    """E for one problem's inputs [step, 2] and targets [step, 1]."""
    projected = inputs @ parameters["weight_input"]
    state = jnp.zeros(HIDDEN)
    states = []
    for t in range(BITS):
        state = jax.nn.sigmoid(projected[t] + state @ parameters["weight_hidden"])
        states.append(state)
    outputs = jax.nn.sigmoid(jnp.stack(states) @ parameters["weight_output"])
    return jnp.sum((outputs - targets) ** 2) / 2


@jax.jit
def update(parameters, inputs, targets):
    loss, gradients = jax.value_and_grad(loss_of)(parameters, inputs, targets)
    parameters = jax.tree.map(lambda p, g: p - LEARNING_RATE * g, parameters, gradients)
    return parameters, loss


def make_step(parameters):
    def step(inputs, targets):
        nonlocal parameters
        parameters, loss = update(parameters, inputs, targets)
        return jax.block_until_ready(loss)

    return step


if __name__ == "__main__":
    step = make_step(make_parameters(jax.random.key(0)))
    problems = [(jnp.array(x), jnp.array(d)) for x, d in timing.binary_addition_pool(BITS)]
    timing.report("binary-addition", "jax", jax.__version__, step, problems, arguments)
