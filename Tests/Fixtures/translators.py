# SPDX-License-Identifier: Apache-2.0
"""Makes the reference numbers for translators, with PyTorch's own cells, pair by pair and token by token.

    python3 Tests/Fixtures/translators.py    # writes Tests/KasaneModelsTests/Fixtures/Translators/*.safetensors
"""
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

SOURCE, TARGET, FEATURES, HIDDEN = 7, 8, 3, 4
PAIRS = [([2, 3, 4, 0], [5, 2]), ([6, 0], [3, 3, 7, 4]), ([5, 5, 2, 3, 6, 0], []), ([4, 2, 0], [6])]
LAYERS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
CELLS = {"rnn": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}


class Model(nn.Module):
    def __init__(self, cell, both, peeky, score, window, feeds):
        super().__init__()
        self.cell, self.peeky, self.score, self.window, self.feeds = cell, peeky, score, window, feeds
        units = HIDDEN * (2 if both else 1)
        self.sourceEmbedding = nn.Embedding(SOURCE, FEATURES)
        self.targetEmbedding = nn.Embedding(TARGET, FEATURES)
        self.encoder = LAYERS[cell](FEATURES, HIDDEN, batch_first=True, bidirectional=both)
        fed = units if score == "additive" or score and feeds else 0
        self.decoder = CELLS[cell](FEATURES + (units if peeky else 0) + fed, units)
        if score:
            self.alignment = nn.ModuleDict()
            if score != "dot":
                self.alignment["query"] = nn.Linear(units, units, bias=False)
            if score in ("concat", "additive"):
                self.alignment["key"] = nn.Linear(units, units, bias=False)
                self.alignment.register_parameter("vector", nn.Parameter(torch.randn(units)))
            if window:
                self.alignment["middleHidden"] = nn.Linear(units, units, bias=False)
                self.alignment["middle"] = nn.Linear(units, 1, bias=False)
            self.mix = nn.Linear(2 * units, units)
        self.output = nn.Linear(units * (2 if peeky else 1), TARGET)
        self.first = None if not fed else torch.zeros(1, units)
        if cell != "gru":  # these cells have one bias here
            for key, parameter in self.named_parameters():
                if "bias_hh" in key:
                    nn.init.zeros_(parameter)
                    parameter.requires_grad = False

    def look(self, query, states):
        """What is seen among the states [source, units] by a query [1, units]."""
        layers = self.alignment
        if self.score == "dot":
            scores = states @ query[0]
        elif self.score == "general":
            scores = states @ layers["query"](query)[0]
        else:
            scores = torch.tanh(layers["query"](query) + layers["key"](states)) @ layers.vector
        weights = scores.softmax(0)
        if self.window:
            center = (len(states) - 1) * torch.sigmoid(layers["middle"](torch.tanh(layers["middleHidden"](query))))[0]
            distance = torch.arange(len(states)) - center
            near = distance.abs() <= self.window
            weights = torch.where(near, scores, torch.tensor(-1e30)).softmax(0)
            weights = weights * torch.exp(-(distance**2) / (2 * (self.window / 2) ** 2))
        return weights.unsqueeze(0) @ states, weights

    def forward(self):
        cost, seen = 0, []
        for source, target in PAIRS:
            states, last = self.encoder(self.sourceEmbedding(torch.tensor([source])))
            states = states[0]
            final = [torch.cat(list(s), 1) for s in (last if self.cell == "lstm" else (last,))]
            summary, state, fed = final[0], final, self.first
            for before, token in zip([0, *target], [*target, 0]):
                word = [self.targetEmbedding(torch.tensor([before]))]
                if self.peeky:
                    word.append(summary)
                if self.score == "additive":
                    fed, weights = self.look(state[0], states)
                if fed is not None:
                    word.append(fed)
                given = tuple(state) if self.cell == "lstm" else state[0]
                state = self.decoder(torch.cat(word, 1), given)
                state = list(state) if self.cell == "lstm" else [state]
                shown = state[0]
                if self.score:
                    if self.score == "additive":
                        context = fed
                    else:
                        context, weights = self.look(shown, states)
                    shown = torch.tanh(self.mix(torch.cat([shown, context], 1)))
                    if self.score != "additive" and self.feeds:
                        fed = shown
                    seen.append(weights)
                if self.peeky:
                    shown = torch.cat([shown, summary], 1)
                cost = cost + F.cross_entropy(self.output(shown), torch.tensor([token]), reduction="sum")
        return cost, torch.cat(seen) if seen else torch.zeros(1)


directory = Path(__file__).parent.parent / "KasaneModelsTests/Fixtures/Translators"
directory.mkdir(parents=True, exist_ok=True)
for seed, (name, *options) in enumerate((
    ("plain", "lstm", True, False, None, None, False), ("peeky", "gru", False, True, None, None, False),
    ("dot", "lstm", False, False, "dot", None, False), ("general", "lstm", True, False, "general", None, True),
    ("concat", "rnn", True, False, "concat", None, False), ("additive", "gru", True, False, "additive", None, False),
    ("local", "gru", False, True, "general", 2, True),
)):
    torch.manual_seed(seed)
    model = Model(*options)
    cost, weights = model()
    cost.backward()
    tensors = {"cost": cost.detach(), "attention": weights.detach()}
    for key, parameter in model.named_parameters():
        if parameter.requires_grad:
            tensors[f"weight.{key}"] = parameter.detach()
            tensors[f"gradient.weight.{key}"] = parameter.grad
    save_file({n: t.contiguous().clone() for n, t in tensors.items()}, directory / f"{name}.safetensors")
