# SPDX-License-Identifier: Apache-2.0
"""Times one training iteration of binary addition in plain NumPy, written step by step.

    python3 Benchmarks/peers/binary_addition_numpy.py [--seconds S] [--threads N] [--json]

Backpropagation through time by hand, in NumPy's default float64:

    u(t) = x(t) W_in + z(t-1) W    z(t) = sigmoid(u(t))    y(t) = sigmoid(z(t) W_out)
    E = sum over t of (y(t) - d(t))^2 / 2

8 bits, 16 hidden units, standard-normal weights, SGD at 0.1, one problem an iteration.
"""
import timing

arguments = timing.parse_arguments(__doc__)

import numpy as np  # noqa: E402  after the thread variables are set

BITS = 8
HIDDEN = 16
LEARNING_RATE = 0.1


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class Network:
    def __init__(self, generator):
        self.weight_input = generator.standard_normal((2, HIDDEN))
        self.weight_hidden = generator.standard_normal((HIDDEN, HIDDEN))
        self.weight_output = generator.standard_normal((HIDDEN, 1))

    def train(self, inputs, targets):
        """One SGD update on inputs [step, 2] and targets [step, 1]; the loss before it."""
        states = np.zeros((BITS + 1, HIDDEN))  # states[t] is z(t-1)
        outputs = np.zeros((BITS, 1))
        for t in range(BITS):
            u = inputs[t] @ self.weight_input + states[t] @ self.weight_hidden
            states[t + 1] = sigmoid(u)
            outputs[t] = sigmoid(states[t + 1] @ self.weight_output)
        errors = outputs - targets
        loss = 0.5 * np.sum(errors**2)

        gradient_input = np.zeros_like(self.weight_input)
        gradient_hidden = np.zeros_like(self.weight_hidden)
        gradient_output = np.zeros_like(self.weight_output)
        delta = np.zeros(HIDDEN)  # dE/du(t+1)
        for t in reversed(range(BITS)):
            delta_output = errors[t] * outputs[t] * (1 - outputs[t])
            state = states[t + 1]
            upstream = delta_output @ self.weight_output.T + delta @ self.weight_hidden.T
            delta = upstream * state * (1 - state)
            gradient_output += np.outer(state, delta_output)
            gradient_hidden += np.outer(states[t], delta)
            gradient_input += np.outer(inputs[t], delta)

        self.weight_input -= LEARNING_RATE * gradient_input
        self.weight_hidden -= LEARNING_RATE * gradient_hidden
        self.weight_output -= LEARNING_RATE * gradient_output
        return loss


if __name__ == "__main__":
    network = Network(np.random.default_rng(0))
    problems = [(np.array(x), np.array(d)) for x, d in timing.binary_addition_pool(BITS)]
    timing.report("binary-addition", "numpy", np.__version__, network.train, problems, arguments)
