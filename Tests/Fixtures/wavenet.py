# SPDX-License-Identifier: Apache-2.0
"""Writes Tests/KasaneModelsTests/Fixtures/Audio/wavenet.safetensors: a small WaveNet's weights under this library's names
and in its layouts, levels, logits, loss and all gradients, as PyTorch computes them."""
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

LEVELS, CHANNELS, SKIP, LAYERS, CYCLE = 11, 6, 9, 5, 3


class WaveNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.input = nn.Conv1d(LEVELS, CHANNELS, 1)
        dilations = [2 ** (layer % CYCLE) for layer in range(LAYERS)]
        self.dilated = nn.ModuleList(nn.Conv1d(CHANNELS, 2 * CHANNELS, 2, dilation=d) for d in dilations)
        self.residual = nn.ModuleList(nn.Conv1d(CHANNELS, CHANNELS, 1) for _ in dilations)
        self.skip = nn.ModuleList(nn.Conv1d(CHANNELS, SKIP, 1) for _ in dilations)
        self.hidden = nn.Conv1d(SKIP, SKIP, 1)
        self.output = nn.Conv1d(SKIP, LEVELS, 1)

    def forward(self, x):
        x, total = self.input(x), 0
        for dilated, residual, skip in zip(self.dilated, self.residual, self.skip):
            signal, gate = dilated(functional.pad(x, (dilated.dilation[0], 0))).chunk(2, 1)
            y = torch.tanh(signal) * torch.sigmoid(gate)
            x, total = x + residual(y), total + skip(y)
        return self.output(torch.relu(self.hidden(torch.relu(total))))


def translated(name, tensor):
    parts = name.split(".")
    if len(parts) == 3:
        parts = ["blocks", parts[1], parts[0], parts[2]]
    if parts[-1] == "weight":
        tensor = tensor.permute(2, 1, 0) if "dilated" in parts else tensor.squeeze(2).T
    return ".".join(parts), tensor.contiguous()


torch.manual_seed(0)
model = WaveNet()
levels = torch.randint(LEVELS, (2, 17))
logits = model(functional.one_hot(levels, LEVELS).float().transpose(1, 2))
loss = functional.cross_entropy(logits[:, :, :-1], levels[:, 1:])
loss.backward()
tensors = {"levels": levels, "logits": logits.detach().transpose(1, 2).contiguous(), "loss": loss.detach()}
for name, parameter in model.named_parameters():
    own, value = translated(name, parameter.detach())
    tensors[f"weight.{own}"] = value
    # What the last layer would hand on goes nowhere.
    if parameter.grad is not None:
        tensors[f"gradient.{own}"] = translated(name, parameter.grad)[1]
path = Path(__file__).parents[1] / "KasaneModelsTests/Fixtures/Audio/wavenet.safetensors"
path.parent.mkdir(parents=True, exist_ok=True)
save_file(tensors, path)
