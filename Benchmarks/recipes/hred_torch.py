#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The recipe hred in PyTorch: the same dialogues, vocabulary, network, first weights by the same rule, and schedule.

    python3 Benchmarks/recipes/hred_torch.py --corpus FOLDER [--last-turn-only 1]
    kasane train hred --corpus FOLDER --dropout 0 [--last-turn-only]

The folder has train.tsv.gz and valid.tsv.gz, a dialogue a line: topic, tab, turns split by __eou__.
"""
import collections
import math
import pathlib
import random
import time

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

from text_data import arguments, cosine, lines, words_and_marks

options = arguments(
    features=128, hidden=256, context=256, words=10_000, minimum_count=3, longest=30, turns=32, batch=16,
    epochs=5, learning_rate=0.001, clip=1.0, last_turn_only=0,
)
random.seed(options.seed)
END, UNKNOWN = 0, 1


def dialogues(path):
    result = []
    for line in lines(path):
        turns = line.split("\t", 1)[-1].lower().replace("\u2019", "'").split("__eou__")
        turns = [t for t in (words_and_marks(turn)[: options.longest] for turn in turns) if t]
        if len(turns) > 1:
            result.append(turns)
    return result


def encoded(found, numbers):
    result = []
    for turns in found:
        for first in range(0, len(turns) - 1, options.turns - 1):
            part = turns[first : first + options.turns]
            result.append([torch.tensor([numbers.get(t, UNKNOWN) for t in turn]) for turn in part])
    return result


class HRED(nn.Module):
    def __init__(self, words):
        super().__init__()
        self.embedding = nn.Embedding(words, options.features)
        self.encoder = nn.GRU(options.features, options.hidden, batch_first=True)
        self.context = nn.GRU(options.hidden, options.context, batch_first=True)
        self.initial = nn.Linear(options.context, options.hidden)
        self.decoder = nn.GRU(options.features + options.context, options.hidden, batch_first=True)
        self.state_output = nn.Linear(options.hidden, options.features)
        self.word_output = nn.Linear(options.features, options.features, bias=False)
        self.output = nn.Linear(options.features, words)
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)
        for layer in (self.initial, self.state_output, self.word_output, self.output):
            nn.init.normal_(layer.weight, std=layer.in_features**-0.5)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        for cells in (self.encoder, self.context, self.decoder):
            nn.init.zeros_(cells.bias_ih_l0)
            nn.init.zeros_(cells.bias_hh_l0)

    def forward(self, turns, lengths, counts, inputs, targets):
        packed = pack_padded_sequence(self.embedding(turns), lengths, True, enforce_sorted=False)
        meanings = self.encoder(packed)[1][0]
        if options.last_turn_only:
            before = torch.cat([m[:-1] for m in meanings.split(counts)])
            contexts = self.context(before.unsqueeze(1))[1][0]
        else:
            laid = pad_sequence(meanings.split(counts), batch_first=True)
            states = self.context(laid)[0]
            contexts = torch.cat([states[d, : n - 1] for d, n in enumerate(counts)])
        words = self.embedding(inputs)
        wide = contexts.unsqueeze(1).expand(-1, inputs.shape[1], -1)
        first = torch.tanh(self.initial(contexts)).unsqueeze(0)
        states = self.decoder(torch.cat([words, wide], 2), first)[0]
        # Only words that are there are compared with the vocabulary.
        shown = (self.state_output(states) + self.word_output(words))[targets >= 0]
        return F.cross_entropy(self.output(shown), targets[targets >= 0], reduction="sum")


def batch(chosen):
    turns = [turn for dialogue in chosen for turn in dialogue]
    replies = [turn for dialogue in chosen for turn in dialogue[1:]]
    end = torch.tensor([END])
    return (
        pad_sequence(turns, batch_first=True), torch.tensor([len(t) for t in turns]), [len(d) for d in chosen],
        pad_sequence([torch.cat([end, r]) for r in replies], batch_first=True),
        pad_sequence([torch.cat([r, end]) for r in replies], batch_first=True, padding_value=-1),
    )


def order(all_dialogues):
    """Those of a batch have about equally many turns."""
    items = random.sample(range(len(all_dialogues)), len(all_dialogues))
    pool = 64 * options.batch
    items = [i for s in range(0, len(items), pool) for i in sorted(items[s : s + pool], key=lambda i: len(all_dialogues[i]))]
    cut = [items[s : s + options.batch] for s in range(0, len(items), options.batch)]
    random.shuffle(cut)
    return cut


folder = pathlib.Path(options.corpus)
training, validation = (dialogues(folder / f"{part}.tsv.gz") for part in ("train", "valid"))
counts = collections.Counter(t for turns in training for turn in turns for t in turn)
common = sorted((t for t, n in counts.items() if n >= options.minimum_count), key=lambda t: (-counts[t], t))
vocabulary = ["__eou__", "<unk>", *common[: options.words - 2]]
numbers = {token: number for number, token in enumerate(vocabulary)}
training, validation = encoded(training, numbers), encoded(validation, numbers)
validation.sort(key=len)
print(f"{len(training)} dialogues, {len(validation)} to judge by, {len(vocabulary)} words", flush=True)
model = HRED(len(vocabulary))
optimizer = torch.optim.Adam(model.parameters())
iteration, iterations = 0, options.epochs * math.ceil(len(training) / options.batch)
for epoch in range(options.epochs):
    before, learned = time.time(), 0
    for chosen in order(training):
        parts = batch([training[i] for i in chosen])
        targets = int((parts[4] >= 0).sum())
        optimizer.param_groups[0]["lr"] = cosine(options.learning_rate, iteration, iterations)
        optimizer.zero_grad()
        (model(*parts) / targets).backward()
        nn.utils.clip_grad_norm_(model.parameters(), options.clip)
        optimizer.step()
        iteration, learned = iteration + 1, learned + targets
    rate = learned / (time.time() - before)
    with torch.no_grad():
        loss = total = 0
        for start in range(0, len(validation), 32):
            parts = batch(validation[start : start + 32])
            loss += model(*parts).item()
            total += int((parts[4] >= 0).sum())
    print(
        f"epoch {epoch + 1}  validation loss {loss / total:.4f}  perplexity {math.exp(loss / total):.2f}  "
        f"{rate:.0f} tokens/s", flush=True,
    )
