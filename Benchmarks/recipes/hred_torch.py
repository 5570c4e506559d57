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
import sys
import time

import torch
from torch import nn

sys.path.append(str(pathlib.Path(__file__).parents[1] / "peers"))

from torch_dialogue import HRED, batch
from text_data import arguments, cosine, lines, words_and_marks

options = arguments(
    features=128, hidden=256, context=256, words=10_000, minimum_count=3, longest=30, turns=32, batch=16,
    epochs=5, learning_rate=0.001, clip=1.0, last_turn_only=0,
)
random.seed(options.seed)
UNKNOWN = 1


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
model = HRED(len(vocabulary), options.features, options.hidden, options.context, options.last_turn_only)
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
