#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The recipe language-model in PyTorch: the same text, first weights by the same rule, the same schedule.

    python3 Benchmarks/recipes/language_model_torch.py --corpus FOLDER --level character
    kasane train language-model --corpus FOLDER --level character
"""

import math
import time

import torch
from text_data import CELLS, arguments, cosine, data, first_weights, words_and_marks
from torch import nn
from torch.nn.functional import cross_entropy

options = arguments(
    level=("character", "word"), cell=("lstm", "rnn", "gru"), layers=2, hidden=256, dropout=0.2, steps=64, batch=32,
    epochs=20, learning_rate=0.002, clip=1.0, minimum_count=3)


class Model(nn.Module):
    def __init__(self, tokens: int):
        super().__init__()
        self.embedding = nn.Embedding(tokens, options.hidden)
        between = options.dropout if options.layers > 1 else 0
        self.recurrent = CELLS[options.cell](
            options.hidden, options.hidden, options.layers, batch_first=True, dropout=between)
        self.bias = nn.Parameter(torch.zeros(tokens))
        self.drop = nn.Dropout(options.dropout)
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)
        first_weights(self.recurrent)

    def forward(self, tokens, states=None):
        outputs, states = self.recurrent(self.drop(self.embedding(tokens)), states)
        return self.drop(outputs) @ self.embedding.weight.T + self.bias, states


def detached(states):
    return tuple(s.detach() for s in states) if isinstance(states, tuple) else states.detach()


def batches(tokens, rows, steps):
    columns = len(tokens) // rows
    table = tokens[: rows * columns].view(rows, columns)
    for start in range(0, columns - 1, steps):
        count = min(steps, columns - 1 - start)
        yield table[:, start : start + count], table[:, start + 1 : start + 1 + count]


tokenize = words_and_marks if options.level == "word" else list
minimum = options.minimum_count if options.level == "word" else 1
train, valid, vocabulary = data(
    options.corpus, tokenize, 2 * options.batch, ["\n"], "<unk>", minimum, line_end="\n")
print(f"{len(train)} tokens, {len(valid)} to judge by, {len(vocabulary)} known")
model = Model(len(vocabulary))
optimizer = torch.optim.Adam(model.parameters(), lr=options.learning_rate)
per_epoch = sum(1 for _ in batches(train, options.batch, options.steps))
iterations, iteration = options.epochs * per_epoch, 0
best, began = float("inf"), time.time()
for epoch in range(options.epochs):
    model.train()
    states = None
    for inputs, targets in batches(train, options.batch, options.steps):
        logits, states = model(inputs, states)
        states = detached(states)
        loss = cross_entropy(logits.flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([p for p in model.parameters() if p.grad is not None], options.clip)
        optimizer.param_groups[0]["lr"] = cosine(options.learning_rate, iteration, iterations)
        optimizer.step()
        iteration += 1
    model.eval()
    rows = min(max(len(valid) // 1000, 1), 64)
    total, count, states = 0.0, 0, None
    with torch.no_grad():
        for inputs, targets in batches(valid, rows, 2048 // rows):
            logits, states = model(inputs, states)
            total += cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum").item()
            count += targets.numel()
    loss = total / count
    best = min(best, loss)
    measure = f"perplexity {math.exp(loss):.2f}" if options.level == "word" else f"bits per character {loss / math.log(2):.4f}"
    speed = (epoch + 1) * len(train) / (time.time() - began)
    print(f"epoch {epoch + 1}/{options.epochs}  validation loss {loss:.4f}  {measure}  {speed:.0f} tokens/s")
print(f"Best validation loss: {best:.4f}")
