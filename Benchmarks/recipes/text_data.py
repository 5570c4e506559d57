# SPDX-License-Identifier: Apache-2.0
"""What the twins of the recipes on text have in common: corpora, tokens, vocabularies and first weights as Kasane has
them."""

import argparse
import collections
import gzip
import math
import pathlib
import re
import unicodedata

import torch

CELLS = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
SAMPLES = pathlib.Path(__file__).parents[2] / "Sources" / "CSamples" / "text"


def arguments(**defaults) -> argparse.Namespace:
    """The command line of a twin: what all have, and an option for each default; a tuple's first is the default. Sets seed
    and threads."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--corpus", default="sample")
    for name, default in defaults.items():
        flag = "--" + name.replace("_", "-")
        if isinstance(default, tuple):
            parser.add_argument(flag, choices=default, default=default[0])
        else:
            parser.add_argument(flag, type=type(default), default=default)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    return options


def lines(path: pathlib.Path) -> list[str]:
    files = [path]
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.name.endswith((".txt", ".txt.gz")))
    result: list[str] = []
    for file in files:
        raw = file.read_bytes()
        text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8-sig")
        parts = text.split("\n")
        if parts[-1] == "":
            parts.pop()
        result += [part.removesuffix("\r") for part in parts]
    return result


def corpus(place: str) -> tuple[list[str], list[str] | None]:
    """The lines to learn from, and those to judge by where they are apart."""
    if place == "sample":
        return lines(SAMPLES / "novel-train.txt.gz"), lines(SAMPLES / "novel-valid.txt.gz")
    path = pathlib.Path(place)
    for ending in (".txt", ".txt.gz"):
        train = path / f"train{ending}"
        valid = [path / f"valid{e}" for e in (".txt", ".txt.gz") if (path / f"valid{e}").exists()]
        if train.exists() and valid:
            return lines(train), lines(valid[0])
    return lines(path), None


def letter_words(line: str) -> list[str]:
    return re.sub(r"[^a-z '\-]", "", line.lower()).split()


def words_and_marks(line: str) -> list[str]:
    def is_letter(c: str) -> bool:
        return c.isalnum() or unicodedata.category(c) == "Mn"

    def is_digit(place: int) -> bool:
        return place < len(line) and line[place] in "0123456789"

    def joins(place: int) -> bool:
        if line[place] in ".,":
            return is_digit(place - 1) and is_digit(place + 1)
        return line[place] in "'\u2019-" and place + 1 < len(line) and is_letter(line[place + 1])

    tokens, index = [], 0
    while index < len(line):
        start = index
        index += 1
        if line[start].isspace():
            continue
        if is_letter(line[start]):
            while index < len(line) and (is_letter(line[index]) or joins(index)):
                index += 1
        elif line[start] == "<":
            end = index
            while end < len(line) and is_letter(line[end]):
                end += 1
            if index < end < len(line) and line[end] == ">":
                index = end + 1
        tokens.append(line[start:index])
    return tokens


def data(place, tokenize, least, special, unknown, minimum, line_end=None):
    """Training and validation as numbers, and the vocabulary."""

    def tokens(all_lines):
        return [t for line in all_lines for t in [*tokenize(line), *([line_end] if line_end else [])]]

    train, valid = corpus(place)
    train = tokens(train)
    if valid is None:
        kept = max(len(train) // 10, least + 1)
        train, valid = train[:-kept], train[-kept:]
    else:
        valid = tokens(valid)
    counts = collections.Counter(train)
    special = [*special, unknown]
    found = [t for t, n in counts.items() if n >= minimum and t not in special]
    vocabulary = special + sorted(found, key=lambda t: (-counts[t], t))
    numbers = {token: number for number, token in enumerate(vocabulary)}
    encode = lambda part: torch.tensor([numbers.get(t, numbers[unknown]) for t in part])
    return encode(train), encode(valid), vocabulary


def first_weights(cells: torch.nn.Module) -> None:
    """Biases of zeros, those of forget gates ones, and one bias where Kasane has one; the weights are PyTorch's."""
    hidden = cells.hidden_size
    for name, parameter in cells.named_parameters():
        if not name.startswith("bias"):
            continue
        torch.nn.init.zeros_(parameter)
        if isinstance(cells, torch.nn.LSTM) and name.startswith("bias_ih"):
            parameter.data[hidden : 2 * hidden] = 1
        if not isinstance(cells, torch.nn.GRU) and name.startswith("bias_hh"):
            parameter.requires_grad_(False)


def cosine(rate: float, iteration: int, iterations: int) -> float:
    return rate * (1 + math.cos(math.pi * iteration / iterations)) / 2
