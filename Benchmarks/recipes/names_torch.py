#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The recipe names in PyTorch: the same names, first weights by the same rule, the same schedule.

    python3 Benchmarks/recipes/names_torch.py --corpus FOLDER
    kasane train names --corpus FOLDER
"""

import math
import pathlib
import time

import torch
from text_data import CELLS, SAMPLES, arguments, cosine, first_weights, lines
from torch import nn
from torch.nn.functional import cross_entropy

options = arguments(
    cell=("lstm", "rnn", "gru"), features=32, hidden=128, epochs=15, batch=64, learning_rate=0.005)


class Model(nn.Module):
    def __init__(self, tokens: int):
        super().__init__()
        self.embedding = nn.Embedding(tokens, options.features)
        self.recurrent = CELLS[options.cell](options.features, options.hidden, batch_first=True)
        self.output = nn.Linear(options.hidden, tokens)
        first_weights(self.recurrent)
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)
        nn.init.uniform_(self.output.weight, -0.1, 0.1)
        nn.init.zeros_(self.output.bias)

    def forward(self, characters):
        return self.output(self.recurrent(self.embedding(characters))[0])


path = SAMPLES / "names.txt.gz" if options.corpus == "sample" else pathlib.Path(options.corpus)
names = list(dict.fromkeys(n for line in lines(path) if (n := " ".join(line.lower().split()))))
train = [name for index, name in enumerate(names) if index % 10 != 9]
valid = names[9::10]
numbers = {c: i + 1 for i, c in enumerate(sorted({c for name in train for c in name}))}


def batch(part):
    steps = max(map(len, part)) + 1
    inputs, targets = torch.zeros(len(part), steps, dtype=torch.long), torch.full((len(part), steps), -1)
    for row, name in enumerate(part):
        # Characters that only validation has are left out, as Kasane leaves them out.
        encoded = torch.tensor([numbers[c] for c in name if c in numbers])
        inputs[row, 1 : len(encoded) + 1] = encoded
        targets[row, : len(encoded)] = encoded
        targets[row, len(encoded)] = 0
    return inputs, targets


model = Model(len(numbers) + 1)
optimizer = torch.optim.Adam(model.parameters(), lr=options.learning_rate)
iterations = options.epochs * math.ceil(len(train) / options.batch)
iteration, best, began = 0, float("inf"), time.time()
for epoch in range(options.epochs):
    for indices in torch.randperm(len(train)).split(options.batch):
        inputs, targets = batch([train[i] for i in indices])
        loss = cross_entropy(model(inputs).flatten(0, 1), targets.flatten(), ignore_index=-1)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([p for p in model.parameters() if p.grad is not None], 1)
        optimizer.param_groups[0]["lr"] = cosine(options.learning_rate, iteration, iterations)
        optimizer.step()
        iteration += 1
    with torch.no_grad():
        total, count = 0.0, 0
        for start in range(0, len(valid), 256):
            inputs, targets = batch(valid[start : start + 256])
            total += cross_entropy(
                model(inputs).flatten(0, 1), targets.flatten(), ignore_index=-1, reduction="sum").item()
            count += (targets >= 0).sum().item()
    best = min(best, total / count)
    print(f"epoch {epoch + 1}/{options.epochs}  validation loss {total / count:.4f}  {time.time() - began:.0f} s")
print(f"Best validation loss: {best:.4f}")
