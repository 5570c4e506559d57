# SPDX-License-Identifier: Apache-2.0
"""Optimizers in JAX, as functions of parameters, state and gradients."""
import jax
import jax.numpy as jnp


class Descent:
    """Gradient descent, the gradients' norm clipped where asked for."""

    def __init__(self, rate, largest_norm=None):
        self.rate, self.largest_norm = rate, largest_norm

    def initial(self, parameters):
        return ()

    def step(self, parameters, state, gradients):
        rate = self.rate
        if self.largest_norm is not None:
            norm = jnp.sqrt(sum(jnp.vdot(g, g) for g in jax.tree.leaves(gradients)))
            rate *= jnp.minimum(1, self.largest_norm / (norm + 1e-6))
        return jax.tree.map(lambda p, g: p - rate * g, parameters, gradients), state


class Adam:
    def __init__(self, rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.rate, self.beta1, self.beta2, self.epsilon = rate, beta1, beta2, epsilon

    def initial(self, parameters):
        zeros = jax.tree.map(jnp.zeros_like, parameters)
        return jnp.zeros(()), zeros, jax.tree.map(jnp.zeros_like, parameters)

    def step(self, parameters, state, gradients):
        count, means, squares = state
        count += 1
        means = jax.tree.map(
            lambda m, g: self.beta1 * m + (1 - self.beta1) * g, means, gradients
        )
        squares = jax.tree.map(
            lambda v, g: self.beta2 * v + (1 - self.beta2) * g * g, squares, gradients
        )
        rate = self.rate / (1 - self.beta1**count)
        correction = jnp.sqrt(1 - self.beta2**count)
        parameters = jax.tree.map(
            lambda p, m, v: p - rate * m / (jnp.sqrt(v) / correction + self.epsilon),
            parameters,
            means,
            squares,
        )
        return parameters, (count, means, squares)
