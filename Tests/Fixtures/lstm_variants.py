# SPDX-License-Identifier: Apache-2.0
"""Makes the reference numbers for the LSTM's variants, whose equations are written out here in PyTorch.

    python3 Tests/Fixtures/lstm_variants.py [OUTPUT_DIRECTORY]

Needs torch and safetensors. Writes one file a variant, by default into Tests/KasaneTests/Fixtures/Layers, of the form that
layers.py describes; names and layouts of the weights are Kasane's, but for the directions, which are called ahead and back.
"""
import argparse
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from layers import case

INPUTS, HIDDEN = 3, 4


def normal(*shape, mean=0.0, deviation=0.5):
    return nn.Parameter(mean + deviation * torch.randn(shape))


class Cell(nn.Module):
    """Some gates, side by side, and what becomes of them."""

    gates = 4

    def __init__(self, inputs):
        super().__init__()
        self.inputWeight = normal(inputs, self.gates * HIDDEN)
        self.recurrentWeight = normal(HIDDEN, self.gates * HIDDEN)
        self.bias = normal(self.gates * HIDDEN)

    def sums(self, x, h):
        return (x @ self.inputWeight + h @ self.recurrentWeight + self.bias).chunk(self.gates, 1)


class Carousel(Cell):
    gates = 1

    def forward(self, x, h, c):
        c = c + torch.tanh(self.sums(x, h)[0])
        return torch.tanh(c), c


class Original(Cell):
    gates = 3

    def forward(self, x, h, c):
        i, g, o = self.sums(x, h)
        c = c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


class Coupled(Cell):
    gates = 3

    def forward(self, x, h, c):
        i, g, o = self.sums(x, h)
        i = torch.sigmoid(i)
        c = (1 - i) * c + i * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


class Peephole(Cell):
    def __init__(self, inputs):
        super().__init__(inputs)
        self.inputPeephole, self.forgetPeephole, self.outputPeephole = (normal(HIDDEN) for _ in range(3))

    def forward(self, x, h, c):
        i, f, g, o = self.sums(x, h)
        i = torch.sigmoid(i + self.inputPeephole * c)
        f = torch.sigmoid(f + self.forgetPeephole * c)
        c = f * c + i * torch.tanh(g)
        return torch.sigmoid(o + self.outputPeephole * c) * torch.tanh(c), c


class Norm(nn.Module):
    def __init__(self, features, bias):
        super().__init__()
        self.weight = normal(features, mean=1.0)
        self.bias = normal(features) if bias else None

    def forward(self, x):
        return F.layer_norm(x, x.shape[-1:], self.weight, self.bias)


class LayerNormalised(Cell):
    def __init__(self, inputs):
        super().__init__(inputs)
        self.inputNorm, self.recurrentNorm = Norm(4 * HIDDEN, False), Norm(4 * HIDDEN, False)
        self.cellNorm = Norm(HIDDEN, True)

    def forward(self, x, h, c):
        sums = self.inputNorm(x @ self.inputWeight) + self.recurrentNorm(h @ self.recurrentWeight)
        i, f, g, o = (sums + self.bias).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(self.cellNorm(c)), c


class Dropped(Cell):
    """With masks of the input, of the hidden state, and of what is to be let in."""

    def forward(self, x, h, c, input_mask, state_mask, candidate_mask):
        i, f, g, o = self.sums(x * input_mask, h * state_mask)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g) * candidate_mask
        return torch.sigmoid(o) * torch.tanh(c), c


def run(cell, x, h, c, lengths, is_reversed, masks=lambda b, t: ()):
    """Sequence by sequence, each over its own steps."""
    outputs, finals = [], []
    for b in range(x.shape[0]):
        state = h[b : b + 1], c[b : b + 1]
        own = [torch.zeros_like(h[b])] * x.shape[1]
        steps = range(lengths[b])
        for t in reversed(steps) if is_reversed else steps:
            state = cell(x[b : b + 1, t], *state, *masks(b, t))
            own[t] = state[0][0]
        outputs.append(torch.stack(own))
        finals.append(torch.stack([part[0] for part in state]))
    return torch.stack(outputs), torch.stack(finals, 1)


class Levels(nn.Module):
    """Two levels in both directions."""

    def __init__(self, kind):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.ModuleDict({"ahead": kind(size), "back": kind(size)}) for size in (INPUTS, 2 * HIDDEN)
        )

    def forward(self, x, h, c):
        finals = []
        for level, cells in enumerate(self.layers):
            parts = []
            for direction, cell in enumerate((cells["ahead"], cells["back"])):
                place = 2 * level + direction
                outputs, final = run(cell, x, h[place], c[place], LENGTHS, direction == 1)
                parts.append(outputs)
                finals.append(final)
            x = torch.cat(parts, 2)
        states = torch.stack(finals, 1)
        return x, states[0], states[1]


LENGTHS = [3, 5, 1]


def main():
    default = Path(__file__).resolve().parent.parent / "KasaneTests" / "Fixtures" / "Layers"
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory", nargs="?", type=Path, default=default)
    directory = parser.parse_args().directory
    directory.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    torch.manual_seed(3)
    batch, steps = len(LENGTHS), max(LENGTHS)
    for name, kind in (
        ("carousel", Carousel), ("original", Original), ("coupled", Coupled), ("peephole", Peephole),
        ("layer-norm", LayerNormalised),
    ):
        case(
            directory, f"lstm-{name}", Levels(kind), lambda layer, x, h, c: layer(x, h, c),
            x=torch.randn(batch, steps, INPUTS), h=torch.randn(4, batch, HIDDEN), c=torch.randn(4, batch, HIDDEN),
        )

    def masks(rate, *shape):
        return (torch.rand(shape) >= rate) / (1 - rate)

    one = torch.ones(1)
    states = {"h": torch.randn(batch, HIDDEN), "c": torch.randn(batch, HIDDEN)}
    case(
        directory, "lstm-recurrent-dropout", Dropped(INPUTS),
        lambda cell, x, h, c, mask: run(
            cell, x, h, c, [steps] * batch, False, lambda b, t: (one, one, mask[b : b + 1, t])
        ),
        x=torch.randn(batch, steps, INPUTS), **states, mask=masks(0.25, batch, steps, HIDDEN),
    )
    case(
        directory, "lstm-variational", Dropped(INPUTS),
        lambda cell, x, h, c, inputMask, stateMask: run(
            cell, x, h, c, LENGTHS, False, lambda b, t: (inputMask[b : b + 1], stateMask[b : b + 1], one)
        ),
        x=torch.randn(batch, steps, INPUTS), **states, inputMask=masks(0.25, batch, INPUTS),
        stateMask=masks(0.5, batch, HIDDEN),
    )


if __name__ == "__main__":
    main()
