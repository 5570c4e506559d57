#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The recipe next-word in PyTorch: the same text, first weights by the same rule, the same schedule. Its best validation
loss is what Kasane's is compared with; they differ by what the seeds decide.

    python3 Benchmarks/recipes/next_word_torch.py --corpus FOLDER --epochs 3
    kasane train next-word --corpus FOLDER --epochs 3
"""

import time

import torch
from text_data import CELLS, arguments, data, first_weights, letter_words
from torch import nn
from torch.nn.functional import cross_entropy

options = arguments(
    cell=("rnn", "lstm", "gru"), window=5, rare=3, features=30, hidden=30, epochs=6, batch=128, learning_rate=0.005)


class NextWord(nn.Module):
    def __init__(self, words: int):
        super().__init__()
        self.embedding = nn.Embedding(words, options.features)
        self.recurrent = CELLS[options.cell](options.features, options.hidden, batch_first=True)
        self.output = nn.Linear(options.hidden, words)
        first_weights(self.recurrent)
        nn.init.zeros_(self.output.bias)

    def forward(self, words):
        return self.output(self.recurrent(self.embedding(words))[0][:, -1])


train, valid, vocabulary = data(
    options.corpus, letter_words, options.window, [], "<???>", options.rare + 1)
print(f"{len(train)} words, {len(valid)} to judge by, {len(vocabulary)} known")
model = NextWord(len(vocabulary))
optimizer = torch.optim.Adam(model.parameters(), lr=options.learning_rate)
steps = torch.arange(options.window)


def windows(tokens, places):
    return tokens[places[:, None] + steps], tokens[places + options.window]


best, began = float("inf"), time.time()
for epoch in range(options.epochs):
    order = torch.randperm(len(train) - options.window)
    for places in order.split(options.batch):
        read, following = windows(train, places)
        loss = cross_entropy(model(read), following)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        total = 0.0
        for places in torch.arange(len(valid) - options.window).split(512):
            read, following = windows(valid, places)
            total += cross_entropy(model(read), following, reduction="sum").item()
    loss = total / (len(valid) - options.window)
    best = min(best, loss)
    tokens = (epoch + 1) * len(order) * options.window
    print(f"epoch {epoch + 1}/{options.epochs}  validation loss {loss:.4f}  {tokens / (time.time() - began):.0f} tokens/s")
print(f"Best validation loss: {best:.4f}")
