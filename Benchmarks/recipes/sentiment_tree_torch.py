#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Tree-LSTM of the recipe sentiment-tree in PyTorch: the same trees, sizes and schedule, computed node by node
(--method recursive) or all phrases of one height of a batch at once (--method depth).

    python3 Benchmarks/recipes/sentiment_tree_torch.py --data FOLDER --vectors FILE --method depth
    kasane train sentiment-tree --data FOLDER --vectors FILE
"""

import argparse
import collections
import gzip
import pathlib
import re
import time

import torch
from text_data import cosine
from torch import nn
from torch.nn.functional import cross_entropy, dropout

parser = argparse.ArgumentParser()
parser.add_argument("--data", type=pathlib.Path, required=True)
parser.add_argument("--vectors", type=pathlib.Path)
parser.add_argument("--method", choices=["recursive", "depth"], default="depth")
parser.add_argument("--features", type=int, default=50)
parser.add_argument("--hidden", type=int, default=150)
parser.add_argument("--dropout", type=float, default=0.5)
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--batch", type=int, default=20)
parser.add_argument("--learning-rate", type=float, default=0.002)
parser.add_argument("--iterations", type=int, help="stop after so many, to see the time that they take")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()
torch.manual_seed(options.seed)
torch.set_num_threads(options.threads)

Tree = collections.namedtuple("Tree", "words labels children heights")


def lines(path):
    for place in (path, path.with_name(path.name + ".gz")):
        if place.exists():
            opened = gzip.open if place.suffix == ".gz" else open
            return [line for line in opened(place, "rt", encoding="utf-8") if line.strip()]
    raise SystemExit(f"{path}: missing")


def parse(line):
    """The nodes of a tree, children before their parent: labels, places of children, heights; and its words."""
    tree, open_brackets, done = Tree([], [], [], []), [], []
    for token in re.findall(r"[()]|[^\s()]+", line):
        if token == "(":
            open_brackets.append(([], len(done)))
        elif token == ")":
            (label, *word), start = open_brackets.pop()
            children, done = done[start:], done[:start]
            tree.labels.append(int(label))
            tree.children.append(tuple(children) if children else None)
            tree.heights.append(1 + max(tree.heights[child] for child in children) if children else 0)
            if word:
                tree.words.append(word[0].lower())
            done.append(len(tree.labels) - 1)
        else:
            open_brackets[-1][0].append(token)
    return tree


class Model(nn.Module):
    def __init__(self, vectors, hidden):
        super().__init__()
        self.hidden = hidden
        self.embedding = nn.Embedding.from_pretrained(vectors, freeze=False)
        self.leaf = nn.Linear(vectors.shape[1], 3 * hidden)
        self.phrase = nn.Linear(2 * hidden, 5 * hidden)
        self.output = nn.Linear(hidden, 5)
        for layer in (self.leaf, self.phrase):
            for gate in layer.weight.data.split(hidden):
                nn.init.xavier_uniform_(gate)
            nn.init.zeros_(layer.bias)
        nn.init.ones_(self.phrase.bias.data[2 * hidden : 4 * hidden])
        nn.init.xavier_uniform_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def leaves(self, words):
        i, o, u = self.leaf(dropout(self.embedding(words), options.dropout, self.training)).chunk(3, -1)
        c = torch.sigmoid(i) * torch.tanh(u)
        return torch.sigmoid(o) * torch.tanh(c), c

    def phrases(self, h_left, h_right, c_left, c_right):
        i, o, f_left, f_right, u = self.phrase(torch.cat([h_left, h_right], -1)).chunk(5, -1)
        c = torch.sigmoid(i) * torch.tanh(u) + torch.sigmoid(f_left) * c_left + torch.sigmoid(f_right) * c_right
        return torch.sigmoid(o) * torch.tanh(c), c

    def logits(self, states):
        return self.output(dropout(states, options.dropout, self.training))


def recursive(model, trees):
    """Node by node: the logits of all nodes, tree by tree, and which of them are roots."""
    states, roots = [], []

    def state(tree, node):
        if tree.children[node] is None:
            h, c = model.leaves(next(words))
        else:
            (h_left, c_left), (h_right, c_right) = (state(tree, child) for child in tree.children[node])
            h, c = model.phrases(h_left, h_right, c_left, c_right)
        states.append(h)
        return h, c

    for tree in trees:
        words = iter(torch.tensor([numbers.get(word, 0) for word in tree.words]))
        state(tree, len(tree.labels) - 1)
        roots.append(len(states) - 1)
    labels = torch.tensor([label for tree in trees for label in tree.labels])
    return model.logits(torch.stack(states)), labels, roots


def by_depth(model, trees):
    """Height by height: the logits of all nodes, leaves first, and which of them are roots."""
    labels, levels = [], []
    nodes = [(height, number, node) for number, tree in enumerate(trees) for node, height in enumerate(tree.heights)]
    nodes.sort()
    rows = [[0] * len(tree.labels) for tree in trees]
    for row, (height, number, node) in enumerate(nodes):
        tree = trees[number]
        rows[number][node] = row
        labels.append(tree.labels[node])
        if height == len(levels):
            levels.append([])
        if height:
            levels[height].append([rows[number][child] for child in tree.children[node]])
    words = [numbers.get(word, 0) for tree in trees for word in tree.words]
    h, c = model.leaves(torch.tensor(words))
    for level in levels[1:]:
        left, right = torch.tensor(level).T
        h_new, c_new = model.phrases(h[left], h[right], c[left], c[right])
        h, c = torch.cat([h, h_new]), torch.cat([c, c_new])
    return model.logits(h), torch.tensor(labels), [place[-1] for place in rows]


forward = {"recursive": recursive, "depth": by_depth}[options.method]


def judge(trees):
    model.eval()
    fine = binary = decided = 0
    with torch.no_grad():
        for start in range(0, len(trees), 100):
            logits, labels, roots = forward(model, trees[start : start + 100])
            shares, wanted = torch.softmax(logits[roots], 1), labels[roots]
            fine += (shares.argmax(1) == wanted).sum().item()
            clear = wanted != 2
            is_positive = shares[:, 3:].sum(1) > shares[:, :2].sum(1)
            binary += (is_positive == (wanted > 2))[clear].sum().item()
            decided += clear.sum().item()
    model.train()
    return f"sentences {100 * fine / len(trees):.2f} % of five, {100 * binary / max(1, decided):.2f} % of two"


train = [parse(line) for line in lines(options.data / "train.txt")]
valid = [parse(line) for line in lines(options.data / "dev.txt")]
given = {}
if options.vectors:
    opened = gzip.open if options.vectors.suffix == ".gz" else open
    for line in opened(options.vectors, "rt", encoding="utf-8"):
        word, *vector = line.split()
        given[word] = torch.tensor([float(number) for number in vector])
counts = collections.Counter(word for tree in train for word in tree.words)
numbers = {word: number + 1 for number, word in enumerate(sorted(counts.keys() | given.keys()))}
vectors = 0.1 * torch.randn(len(numbers) + 1, options.features)
for word, vector in given.items():
    vectors[numbers[word]] = vector
model = Model(vectors, options.hidden)
optimizer = torch.optim.Adam(model.parameters(), lr=options.learning_rate)
per_epoch = -(-len(train) // options.batch)
iterations = options.epochs * per_epoch
print(f"{len(train)} trees, {len(valid)} to judge by, {len(numbers)} words known")
iteration, best, times, began = 0, "", [], time.perf_counter()
while iteration < (options.iterations or iterations):
    order = torch.randperm(len(train)).tolist()
    for start in range(0, len(train), options.batch):
        before = time.perf_counter()
        logits, labels, _ = forward(model, [train[place] for place in order[start : start + options.batch]])
        loss = cross_entropy(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.param_groups[0]["lr"] = cosine(options.learning_rate, iteration, iterations)
        optimizer.step()
        times.append(time.perf_counter() - before)
        iteration += 1
        if iteration == options.iterations:
            break
    else:
        print(f"epoch {iteration // per_epoch}/{options.epochs}  validation {judge(valid)}")
times = times[min(5, len(times) - 1) :]
print(f"{1000 * sum(times) / len(times):.2f} ms an iteration, {options.threads} threads")
