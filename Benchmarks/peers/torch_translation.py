# SPDX-License-Identifier: Apache-2.0
"""A translator with attention and input feeding (Luong, Pham and Manning 2015), searched by a beam whose hypotheses are the
rows of one batch, as its users write it."""
import torch
from torch import nn

from torch_workload import Workload

END = 0


class Translator(nn.Module):
    def __init__(self, words, hidden):
        super().__init__()
        self.source = nn.Embedding(words, hidden)
        self.target = nn.Embedding(words, hidden)
        self.encoder = nn.LSTM(hidden, hidden, bidirectional=True, batch_first=True)
        self.cell = nn.LSTMCell(3 * hidden, 2 * hidden)
        self.query = nn.Linear(2 * hidden, 2 * hidden, bias=False)
        self.mix = nn.Linear(4 * hidden, 2 * hidden)
        self.output = nn.Linear(2 * hidden, words)

    def encode(self, source):
        states, (hidden, cell) = self.encoder(self.source(source))
        return states, (torch.cat([hidden[0], hidden[1]], 1), torch.cat([cell[0], cell[1]], 1))

    def step(self, word, state, fed, states):
        hidden, cell = self.cell(torch.cat([self.target(word), fed], 1), state)
        scores = torch.bmm(states, self.query(hidden).unsqueeze(2)).squeeze(2)
        context = torch.bmm(scores.softmax(1).unsqueeze(1), states).squeeze(1)
        return (hidden, cell), torch.tanh(self.mix(torch.cat([hidden, context], 1)))

    def search(self, source, width, steps):
        """The words of the best hypotheses, [batch, width, steps]; none ends before."""
        batch = len(source)
        states, state = self.encode(source)
        fed = states.new_zeros(batch, states.shape[2])
        word, scores, words = torch.full((batch,), END), states.new_zeros(batch, 1), None
        for _ in range(steps):
            state, fed = self.step(word, state, fed, states)
            chances = self.output(fed).log_softmax(1)
            chances[:, END] = -torch.inf
            vocabulary = chances.shape[1]
            total = (scores.unsqueeze(2) + chances.view(batch, -1, vocabulary)).flatten(1)
            scores, places = total.topk(width, 1)
            rows = places // vocabulary + torch.arange(batch).unsqueeze(1) * (len(word) // batch)
            rows, word = rows.flatten(), (places % vocabulary).flatten()
            if words is None:
                words = word.unsqueeze(1)
                states = states.repeat_interleave(width, 0)
            else:
                words = torch.cat([words[rows], word.unsqueeze(1)], 1)
            state, fed = tuple(s[rows] for s in state), fed[rows]
        return words.view(batch, width, steps)


def beam_search(sizes):
    steps = sizes.length(20)
    model = Translator(6000, 256).eval()
    source = torch.randint(6000, (sizes.batch(1), steps))
    return Workload(lambda: model.search(source, 5, steps))


WORKLOADS = {"beam-search": beam_search}
