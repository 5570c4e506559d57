#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast a language model writes on, a token at a time, in PyTorch: the loop of its users around the network of the recipe
language-model. The weights are random, as no time depends on them.

    python3 Benchmarks/recipes/generation_torch.py --tokens 10000 --hidden 650
    kasane predict RUN "It was" --length 5000 --temperature 0.8
"""

import argparse
import statistics
import time

import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--tokens", type=int, default=10000, help="size of the vocabulary")
parser.add_argument("--cell", choices=["rnn", "lstm", "gru"], default="lstm")
parser.add_argument("--layers", type=int, default=2)
parser.add_argument("--hidden", type=int, default=650)
parser.add_argument("--temperature", type=float, default=0.8)
parser.add_argument("--top-k", type=int, default=0)
parser.add_argument("--length", type=int, default=200, help="tokens to write in each round")
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()
torch.manual_seed(options.seed)
torch.set_num_threads(options.threads)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(options.tokens, options.hidden)
        cells = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[options.cell]
        self.recurrent = cells(options.hidden, options.hidden, options.layers, batch_first=True)
        self.bias = nn.Parameter(torch.zeros(options.tokens))

    def forward(self, tokens, states=None):
        outputs, states = self.recurrent(self.embedding(tokens), states)
        return outputs @ self.embedding.weight.T + self.bias, states


@torch.no_grad()
def write(model, count):
    token, states, written = torch.zeros(1, 1, dtype=torch.long), None, []
    for _ in range(count):
        logits, states = model(token, states)
        logits = logits[0, -1] / options.temperature
        if options.top_k:
            values, places = logits.topk(options.top_k)
            token = places[torch.multinomial(values.softmax(-1), 1)]
        else:
            token = torch.multinomial(logits.softmax(-1), 1)
        token = token.view(1, 1)
        written.append(token.item())
    return written


model = Model().eval()
write(model, 20)
speeds = []
for _ in range(options.rounds):
    began = time.perf_counter()
    write(model, options.length)
    speeds.append(options.length / (time.perf_counter() - began))
print(f"{statistics.median(speeds):.0f} tokens/s, {min(speeds):.0f} to {max(speeds):.0f}")
