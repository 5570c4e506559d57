#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The recipe tagging in PyTorch: the same text, first weights by the same rule, the same schedule.

    python3 Benchmarks/recipes/tagging_torch.py --corpus FOLDER --direction both
    kasane train tagging --corpus FOLDER --direction both
"""

import collections
import math
import re
import time

import torch
from text_data import CELLS, arguments, corpus, cosine, first_weights
from torch import nn
from torch.nn.functional import cross_entropy

options = arguments(
    direction=("both", "forward"), cell=("lstm", "rnn", "gru"), layers=1, hidden=128, features=128, dropout=0.2,
    minimum_count=5, steps=64, batch=64, epochs=5, learning_rate=0.004, clip=1.0)
MARKS = ["none", ",", ".", "?", "!", ";", ":"]
LETTERS = ["lower", "Capitalised", "UPPER", "own form"]
CLASSES = [LETTERS, MARKS, ["none", 'opening "'], ["none", 'closing "']]
TOKEN = re.compile(r"<[^\W_]+>|[^\W_]+(?:(?:['\u2019-]|(?<=[0-9])[.,](?=[0-9]))[^\W_]+)*|\S")


def kind_of_letters(word):
    cased = [c for c in word if c.isupper() or c.islower()]
    capitals = sum(c.isupper() for c in cased)
    if capitals == 0:
        return 0
    if capitals == 1 and cased[0].isupper():
        return 1
    return 2 if capitals == len(cased) else 3


def running_text(tokens, kept_line_ends=0):
    """Words in lower case with the classes of each; "\\n" for a line end that is kept."""
    kinds = {}
    words, classes = [], []
    number_of_lines, quoted, opens, first = 0, False, False, True
    for token in tokens:
        kind = kinds.get(token)
        if kind is None:
            if token == "\n":
                kind = ("end",)
            elif token in MARKS[1:] or token == "\u2026":
                kind = ("mark", MARKS.index("." if token == "\u2026" else token))
            elif token in '"\u201c\u201d':
                kind = ("quote", {'"': None, "\u201c": True, "\u201d": False}[token])
            elif token[0].isalnum() or len(token) > 1:
                kind = ("word", token.replace("\u2019", "'").lower(), kind_of_letters(token))
            else:
                kind = ("other",)
            kinds[token] = kind
        if kind[0] == "word":
            words.append(kind[1])
            classes.append([kind[2], 0, int(opens), 0])
            opens = first = False
        elif kind[0] == "mark":
            if not first and not opens and classes[-1][1] == 0:
                classes[-1][1] = kind[1]
        elif kind[0] == "quote":
            quoted = not quoted if kind[1] is None else kind[1]
            if quoted:
                opens = True
            elif not first and not opens:
                classes[-1][3] = 1
            if not quoted:
                opens = False
        elif kind[0] == "end":
            number_of_lines += 1
            quoted = opens = False
            if kept_line_ends and number_of_lines % kept_line_ends == 0:
                words.append("\n")
                classes.append([0, 0, 0, 0])
            first = True
    return words, classes


def tokens(lines):
    return [t for line in lines for t in [*TOKEN.findall(line), "\n"]]


began = time.time()
train, valid = corpus(options.corpus)
train = tokens(train)
if valid is None:
    kept = max(len(train) // 10, options.steps + 1)
    train, valid = train[:-kept], train[-kept:]
else:
    valid = tokens(valid)
words, classes = running_text(train, 4)
valid_words, valid_classes = running_text(valid)
counts = collections.Counter(w for w in words if w != "\n")
known = collections.Counter()
for word, count in counts.items():
    known[word if count >= options.minimum_count else "-" + word[-3:]] += count
special = ["\n", "<unk>"]
found = [w for w, n in known.items() if n >= options.minimum_count and w not in special]
vocabulary = special + sorted(found, key=lambda w: (-known[w], w))
numbers = {word: number for number, word in enumerate(vocabulary)}


def encode(text):
    places = {w: numbers.get(w, numbers.get("-" + w[-3:], numbers["<unk>"])) for w in set(text)}
    return torch.tensor([places[w] for w in text])


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        both = options.direction == "both"
        self.embedding = nn.Embedding(len(vocabulary), options.features)
        between = options.dropout if options.layers > 1 else 0
        self.recurrent = CELLS[options.cell](
            options.features, options.hidden, options.layers, batch_first=True, dropout=between,
            bidirectional=both)
        self.sizes = [len(c) for c in CLASSES]
        self.output = nn.Linear(options.hidden * (2 if both else 1), sum(self.sizes))
        self.drop = nn.Dropout(options.dropout)
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)
        nn.init.zeros_(self.output.bias)
        first_weights(self.recurrent)

    def forward(self, tokens):
        outputs, _ = self.recurrent(self.drop(self.embedding(tokens)))
        return self.output(self.drop(outputs)).split(self.sizes, -1)


def losses(logits, labels, **options):
    return sum(
        cross_entropy(part.flatten(0, 1), labels[..., question].flatten(), **options)
        for question, part in enumerate(logits))


@torch.no_grad()
def judge(model, words, classes):
    """The mean loss, and how often each class was there, was answered and was right."""
    model.eval()
    core, margin = 192, 32
    text = torch.cat([torch.tensor([numbers["\n"]]), words, torch.tensor([numbers["\n"]])])
    labels = torch.full((len(text), len(CLASSES)), -1)
    labels[1:-1] = classes
    steps = min(len(text), core + 2 * margin)
    first = torch.arange(1, len(words) + 1, core)
    starts = (first - margin).clamp(0, len(text) - steps)
    scores = [torch.zeros(len(c), 3) for c in CLASSES]
    total = 0.0
    for begin, start in zip(first.split(64), starts.split(64)):
        places = start[:, None] + torch.arange(steps)
        asked = labels[places].clone()
        asked[(places < begin[:, None]) | (places >= begin[:, None] + core)] = -1
        logits = model(text[places])
        total += losses(logits, asked, ignore_index=-1, reduction="sum").item()
        for question, part in enumerate(logits):
            label = asked[..., question]
            answer, label = part.argmax(-1)[label >= 0], label[label >= 0]
            size = len(CLASSES[question])
            scores[question][:, 0] += torch.bincount(label, minlength=size)
            scores[question][:, 1] += torch.bincount(answer, minlength=size)
            scores[question][:, 2] += torch.bincount(label[label == answer], minlength=size)
    model.train()
    return total / len(words), scores


def f1(score):
    return 200 * score[2].item() / max((score[0] + score[1]).item(), 1)


words, classes = encode(words), torch.tensor(classes)
valid_words, valid_classes = encode(valid_words), torch.tensor(valid_classes)
print(f"{len(words)} words, {len(valid_words)} to judge by, {len(vocabulary)} known  {time.time() - began:.1f} s")
model = Tagger()
optimizer = torch.optim.Adam(model.parameters(), lr=options.learning_rate)
steps = min(options.steps, len(words))
starts = (torch.arange(0, len(words), steps)).clamp(max=len(words) - steps)
iterations, iteration = options.epochs * math.ceil(len(starts) / options.batch), 0
best, trained = float("inf"), time.time()
for epoch in range(options.epochs):
    for rows in torch.randperm(len(starts)).split(options.batch):
        places = starts[rows][:, None] + torch.arange(steps)
        loss = losses(model(words[places]), classes[places])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([p for p in model.parameters() if p.grad is not None], options.clip)
        optimizer.param_groups[0]["lr"] = cosine(options.learning_rate, iteration, iterations)
        optimizer.step()
        iteration += 1
    loss, scores = judge(model, valid_words, valid_classes)
    if loss < best:
        best, kept = loss, scores
    marks = torch.cat([part[1:] for part in scores[1:]])
    speed = (epoch + 1) * len(words) / (time.time() - trained)
    print(
        f"epoch {epoch + 1}/{options.epochs}  validation loss {loss:.4f}  F1 of marks {f1(marks.sum(0)):.2f} %  "
        f"of capitals {f1(scores[0][1:].sum(0)):.2f} %  {speed:.0f} words/s", flush=True)
for names, part in zip(CLASSES[1:] + CLASSES[:1], kept[1:] + kept[:1]):
    for name, score in list(zip(names, part))[1:]:
        there, answered, right = score.tolist()
        precision, recall = 100 * right / max(answered, 1), 100 * right / max(there, 1)
        print(f"{name:12} {there:8.0f} {precision:8.2f} % {recall:8.2f} % {f1(score):8.2f} %")
print(f"all marks {f1(torch.cat([part[1:] for part in kept[1:]]).sum(0)):.2f} %")
print(f"Best validation loss: {best:.4f}  {time.time() - began:.1f} s in all")
