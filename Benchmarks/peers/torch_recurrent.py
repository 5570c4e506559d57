# SPDX-License-Identifier: Apache-2.0
"""Recurrent networks, with the layers that PyTorch has as one operation where it has them."""
import torch
from torch import nn
from torch.nn import functional as F

from torch_workload import Workload, parameters_of


class Tagger(nn.Module):
    """A simple recurrent network with an answer between 0 and 1 at every step."""

    def __init__(self, inputs, hidden, outputs):
        super().__init__()
        self.layer = nn.RNN(inputs, hidden, bias=False, batch_first=True)
        self.output = nn.Linear(hidden, outputs, bias=False)

    def forward(self, x):
        return torch.sigmoid(self.output(self.layer(x)[0]))


def binary_addition(sizes):
    batch, bits = sizes.batch(1), sizes.length(8)
    model = Tagger(2, 16, 1)
    x = torch.randint(2, (batch, bits, 2)).float()
    targets = torch.randint(2, (batch, bits, 1)).float()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return Workload(
        lambda: 0.5 * (model(x) - targets).square().sum(), list(model.parameters()), optimizer
    )


def next_word(sizes):
    vocabulary, width = 8000, 30
    table = nn.Embedding(vocabulary, width)
    layer = nn.RNN(width, width, batch_first=True)
    output = nn.Linear(width, vocabulary)
    parameters = parameters_of(table, layer, output)
    words = torch.randint(vocabulary, (sizes.batch(128), sizes.length(5)))
    targets = torch.randint(vocabulary, (sizes.batch(128),))

    def loss():
        states, _ = layer(table(words))
        return F.cross_entropy(output(states[:, -1]), targets)

    return Workload(loss, parameters, torch.optim.Adam(parameters, lr=0.005))


def language_model(kind):
    def make(sizes):
        vocabulary, width = 10_000, 650
        table = nn.Embedding(vocabulary, width)
        layers = kind(width, width, num_layers=2)
        output = nn.Linear(width, vocabulary)
        parameters = parameters_of(table, layers, output)
        # Time first, as is fastest here.
        shape = (sizes.length(35), sizes.batch(20))
        words = torch.randint(vocabulary, shape)
        targets = torch.randint(vocabulary, shape).flatten()

        def loss():
            states, _ = layers(table(words))
            return F.cross_entropy(output(states).flatten(0, 1), targets)

        return Workload(loss, parameters, torch.optim.SGD(parameters, lr=0.1), largest_norm=5.0)

    return make


def bidirectional(sizes):
    layer = nn.LSTM(128, 128, bidirectional=True, batch_first=True)
    x = torch.randn(sizes.batch(32), sizes.length(50), 128)
    return Workload(
        lambda: layer(x)[0].square().mean(),
        list(layer.parameters()),
        torch.optim.Adam(layer.parameters()),
    )


class Translator(nn.Module):
    """Bidirectional encoder; a decoder cell that is fed the last context and attends to the
    encoder's states by a bilinear score."""

    def __init__(self, vocabulary, width):
        super().__init__()
        self.source = nn.Embedding(vocabulary, width)
        self.target = nn.Embedding(vocabulary, width)
        self.encoder = nn.LSTM(width, width, bidirectional=True, batch_first=True)
        self.cell = nn.LSTMCell(3 * width, 2 * width)
        self.query = nn.Linear(2 * width, 2 * width)
        self.output = nn.Linear(4 * width, vocabulary)

    def forward(self, x, y):
        states, (hidden, cell) = self.encoder(self.source(x))
        hidden = torch.cat([hidden[0], hidden[1]], dim=1)
        cell = torch.cat([cell[0], cell[1]], dim=1)
        context = torch.zeros_like(hidden)
        answers = []
        for word in self.target(y).unbind(dim=1):
            hidden, cell = self.cell(torch.cat([word, context], dim=1), (hidden, cell))
            scores = torch.bmm(states, self.query(hidden).unsqueeze(2)).squeeze(2)
            weights = torch.softmax(scores, dim=1)
            context = torch.bmm(weights.unsqueeze(1), states).squeeze(1)
            answers.append(torch.cat([hidden, context], dim=1))
        return self.output(torch.stack(answers, dim=1))


def sequence_to_sequence(sizes):
    vocabulary = 6000
    model = Translator(vocabulary, 256)
    shape = (sizes.batch(64), sizes.length(20))
    x, y = torch.randint(vocabulary, shape), torch.randint(vocabulary, shape)
    return Workload(
        lambda: F.cross_entropy(model(x, y).flatten(0, 1), y.flatten()),
        list(model.parameters()),
        torch.optim.Adam(model.parameters()),
    )


WORKLOADS = {
    "binary-addition": binary_addition,
    "next-word": next_word,
    "lstm-lm": language_model(nn.LSTM),
    "gru-lm": language_model(nn.GRU),
    "bilstm": bidirectional,
    "seq2seq-attention": sequence_to_sequence,
}
