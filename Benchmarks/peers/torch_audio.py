# SPDX-License-Identifier: Apache-2.0
"""WaveNet (van den Oord et al. 2016) on sound of 256 levels."""
import torch
from torch import nn
from torch.nn import functional as F

from torch_workload import Workload


class GatedLayer(nn.Module):
    """A causal, dilated convolution with a gate; what it adds to the signal and to the skips."""

    def __init__(self, channels, skips, dilation):
        super().__init__()
        self.dilation = dilation
        self.gates = nn.Conv1d(channels, 2 * channels, 2, dilation=dilation)
        self.residual = nn.Conv1d(channels, channels, 1)
        self.skip = nn.Conv1d(channels, skips, 1)

    def forward(self, x):
        signal, gate = self.gates(F.pad(x, (self.dilation, 0))).chunk(2, dim=1)
        z = torch.tanh(signal) * torch.sigmoid(gate)
        return x + self.residual(z), self.skip(z)


class WaveNet(nn.Module):
    def __init__(self, channels=64, skips=128, levels=256, layers=20):
        super().__init__()
        self.input = nn.Conv1d(levels, channels, 1)
        self.layers = nn.ModuleList(
            GatedLayer(channels, skips, 2 ** (layer % 10)) for layer in range(layers)
        )
        self.hidden, self.output = nn.Conv1d(skips, skips, 1), nn.Conv1d(skips, levels, 1)

    def forward(self, x):
        x = self.input(x)
        total = 0
        for layer in self.layers:
            x, skip = layer(x)
            total = total + skip
        return self.output(F.relu(self.hidden(F.relu(total))))


def wave_net(sizes):
    model = WaveNet()
    levels = torch.randint(256, (sizes.batch(4), sizes.length(8000)))
    x = F.one_hot(levels, 256).float().transpose(1, 2).contiguous()
    return Workload(
        lambda: F.cross_entropy(model(x)[:, :, :-1], levels[:, 1:]),
        list(model.parameters()),
        torch.optim.Adam(model.parameters()),
    )


WORKLOADS = {"wavenet-train": wave_net}
