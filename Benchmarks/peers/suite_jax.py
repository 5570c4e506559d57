# SPDX-License-Identifier: Apache-2.0
"""Times the suite's recurrent workloads in JAX, a whole iteration under one jit.

    python3 Benchmarks/peers/suite_jax.py NAME... | all [--threads N] [--seconds S]
        [--batch N] [--length T] [--json]

Forward, gradient and update are one compiled CPU function whose old parameters are given away,
in float32, waited for each time. Sequences run in lax.scan, time first, the products with the
inputs made for all steps at once.
"""
import os

import suite

arguments = suite.parse_arguments(__doc__, precisions=("float32",))
os.environ["JAX_PLATFORMS"] = "cpu"

import jax  # noqa: E402  after the thread variables are set
import jax.numpy as jnp  # noqa: E402

import jax_layers as layers  # noqa: E402
import jax_optimizers as optimizers  # noqa: E402

jax.config.update("jax_cpu_enable_async_dispatch", False)


def iteration(loss, parameters, optimizer, *data):
    """What one iteration does: a step of the optimizer along the loss's gradient."""
    state = optimizer.initial(parameters)

    def update(parameters, state, *data):
        value, gradients = jax.value_and_grad(loss)(parameters, *data)
        return *optimizer.step(parameters, state, gradients), value

    compiled = jax.jit(update, donate_argnums=(0, 1))

    def step():
        nonlocal parameters, state
        parameters, state, value = compiled(parameters, state, *data)
        jax.block_until_ready(value)

    return step


def keys():
    """Random keys, as many as are asked for."""
    key = jax.random.key(arguments.seed)
    while True:
        key, next_key = jax.random.split(key)
        yield next_key


def binary_addition(sizes):
    key = keys()
    shape = (sizes.length(8), sizes.batch(1))
    parameters = {
        "layer": layers.simple(key, 2, 16, bias=False),
        "output": layers.dense(key, 16, 1, bias=False),
    }
    x = jax.random.bernoulli(next(key), shape=(*shape, 2)).astype(jnp.float32)
    targets = jax.random.bernoulli(next(key), shape=(*shape, 1)).astype(jnp.float32)

    def loss(p, x, targets):
        states = layers.run_simple(p["layer"], x)
        answers = jax.nn.sigmoid(layers.apply_dense(p["output"], states))
        return 0.5 * jnp.sum((answers - targets) ** 2)

    return iteration(loss, parameters, optimizers.Descent(0.1), x, targets)


def next_word(sizes):
    vocabulary, width, key = 8000, 30, keys()
    shape = (sizes.length(5), sizes.batch(128))
    parameters = {
        "table": jax.random.normal(next(key), (vocabulary, width)),
        "layer": layers.simple(key, width, width),
        "output": layers.dense(key, width, vocabulary),
    }
    words = jax.random.randint(next(key), shape, 0, vocabulary)
    targets = jax.random.randint(next(key), shape[1:], 0, vocabulary)

    def loss(p, words, targets):
        states = layers.run_simple(p["layer"], p["table"][words])
        return layers.cross_entropy(layers.apply_dense(p["output"], states[-1]), targets)

    return iteration(loss, parameters, optimizers.Adam(0.005), words, targets)


def language_model(cell, run):
    def make(sizes):
        vocabulary, width, key = 10_000, 650, keys()
        shape = (sizes.length(35), sizes.batch(20))
        parameters = {
            "table": jax.random.normal(next(key), (vocabulary, width)),
            "layers": [cell(key, width, width) for _ in range(2)],
            "output": layers.dense(key, width, vocabulary),
        }
        words = jax.random.randint(next(key), shape, 0, vocabulary)
        targets = jax.random.randint(next(key), shape, 0, vocabulary)

        def loss(p, words, targets):
            x = p["table"][words]
            for layer in p["layers"]:
                x = run(layer, x)
            return layers.cross_entropy(layers.apply_dense(p["output"], x), targets)

        return iteration(loss, parameters, optimizers.Descent(0.1, largest_norm=5.0), words, targets)

    return make


def bidirectional(sizes):
    key = keys()
    parameters = [layers.lstm(key, 128, 128) for _ in range(2)]
    x = jax.random.normal(next(key), (sizes.length(50), sizes.batch(32), 128))

    def loss(p, x):
        forward = layers.run_lstm(p[0], x)
        backward = layers.run_lstm(p[1], x, reverse=True)
        return jnp.mean(jnp.concatenate([forward, backward], axis=-1) ** 2)

    return iteration(loss, parameters, optimizers.Adam(0.001), x)


def sequence_to_sequence(sizes):
    vocabulary, width, key = 6000, 256, keys()
    shape = (sizes.length(20), sizes.batch(64))
    parameters = {
        "source": jax.random.normal(next(key), (vocabulary, width)),
        "target": jax.random.normal(next(key), (vocabulary, width)),
        "encoder": [layers.lstm(key, width, width) for _ in range(2)],
        "cell": layers.lstm(key, 3 * width, 2 * width),
        "query": layers.dense(key, 2 * width, 2 * width),
        "output": layers.dense(key, 4 * width, vocabulary),
    }
    x = jax.random.randint(next(key), shape, 0, vocabulary)
    y = jax.random.randint(next(key), shape, 0, vocabulary)

    def loss(p, x, y):
        words = p["source"][x]
        forward, last = layers.run_lstm(p["encoder"][0], words, with_last=True)
        backward, first = layers.run_lstm(p["encoder"][1], words, reverse=True, with_last=True)
        states = jnp.concatenate([forward, backward], axis=-1)
        start = tuple(jnp.concatenate(parts, axis=-1) for parts in zip(last, first))

        def step(carry, word):
            hidden, cell, context = carry
            inputs = jnp.concatenate([word, context], axis=-1)
            hidden, cell = layers.step_lstm(p["cell"], inputs, (hidden, cell))
            query = layers.apply_dense(p["query"], hidden)
            weights = jax.nn.softmax(jnp.einsum("tbh,bh->bt", states, query), axis=-1)
            context = jnp.einsum("bt,tbh->bh", weights, states)
            return (hidden, cell, context), jnp.concatenate([hidden, context], axis=-1)

        _, answers = jax.lax.scan(step, (*start, jnp.zeros_like(start[0])), p["target"][y])
        return layers.cross_entropy(layers.apply_dense(p["output"], answers), y)

    return iteration(loss, parameters, optimizers.Adam(0.001), x, y)


WORKLOADS = {
    "binary-addition": binary_addition,
    "next-word": next_word,
    "lstm-lm": language_model(layers.lstm, layers.run_lstm),
    "gru-lm": language_model(layers.gru, layers.run_gru),
    "bilstm": bidirectional,
    "seq2seq-attention": sequence_to_sequence,
}

if __name__ == "__main__":
    suite.run(WORKLOADS, "jax", jax.__version__, arguments)
