# SPDX-License-Identifier: Apache-2.0
"""Times one training iteration of binary addition in eager PyTorch.

    python3 Benchmarks/peers/binary_addition_torch.py [--seconds S] [--threads N] [--json]

A module with a loop over the steps, autograd and torch.optim.SGD, in float32:

    u(t) = x(t) W_in + z(t-1) W    z(t) = sigmoid(u(t))    y(t) = sigmoid(z(t) W_out)
    E = sum over t of (y(t) - d(t))^2 / 2

8 bits, 16 hidden units, standard-normal weights, SGD at 0.1, one problem an iteration. torch.nn.RNN
has no sigmoid, so the loop is Python's; what does not depend on z(t-1) is computed for all steps
at once.
"""
import timing

arguments = timing.parse_arguments(__doc__)

import torch  # noqa: E402  after the thread variables are set
from torch import nn  # noqa: E402

BITS = 8
HIDDEN = 16
LEARNING_RATE = 0.1


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight_input = nn.Parameter(torch.randn(2, HIDDEN))
        self.weight_hidden = nn.Parameter(torch.randn(HIDDEN, HIDDEN))
        self.weight_output = nn.Parameter(torch.randn(HIDDEN, 1))

    def forward(self, inputs):
        """The outputs [step, 1] for one problem's inputs [step, 2]."""
        state = torch.zeros(1, HIDDEN)
        states = []
        for projected in (inputs @ self.weight_input).split(1):
            state = torch.sigmoid(torch.addmm(projected, state, self.weight_hidden))
            states.append(state)
        return torch.sigmoid(torch.cat(states) @ self.weight_output)


def make_step(network):
    optimizer = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE)

    def step(inputs, targets):
        optimizer.zero_grad()
        loss = ((network(inputs) - targets) ** 2).sum() / 2
        loss.backward()
        optimizer.step()
        return loss

    return step


if __name__ == "__main__":
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    step = make_step(Network())
    problems = [
        (torch.tensor(x), torch.tensor(d)) for x, d in timing.binary_addition_pool(BITS)
    ]
    timing.report("binary-addition", "torch", torch.__version__, step, problems, arguments)
