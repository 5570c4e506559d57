# SPDX-License-Identifier: Apache-2.0
"""A hierarchical recurrent encoder-decoder of dialogues (Serban et al. 2016), as its users write it."""
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

from torch_workload import Workload

END = 0


class HRED(nn.Module):
    def __init__(self, words, features, hidden, context, last_turn_only=False):
        super().__init__()
        self.last_turn_only = last_turn_only
        self.embedding = nn.Embedding(words, features)
        self.encoder = nn.GRU(features, hidden, batch_first=True)
        self.context = nn.GRU(hidden, context, batch_first=True)
        self.initial = nn.Linear(context, hidden)
        self.decoder = nn.GRU(features + context, hidden, batch_first=True)
        self.state_output = nn.Linear(hidden, features)
        self.word_output = nn.Linear(features, features, bias=False)
        self.output = nn.Linear(features, words)
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)
        for layer in (self.initial, self.state_output, self.word_output, self.output):
            nn.init.normal_(layer.weight, std=layer.in_features**-0.5)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        for cells in (self.encoder, self.context, self.decoder):
            nn.init.zeros_(cells.bias_ih_l0)
            nn.init.zeros_(cells.bias_hh_l0)

    def forward(self, turns, lengths, counts, inputs, targets):
        """The sum over all words and ends of the replies of what they cost, in nats."""
        packed = pack_padded_sequence(self.embedding(turns), lengths, True, enforce_sorted=False)
        meanings = self.encoder(packed)[1][0]
        if self.last_turn_only:
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


def batch(dialogues):
    """What the model takes: turns, their lengths, turns of a dialogue, what the decoder sees and what it should say."""
    turns = [turn for dialogue in dialogues for turn in dialogue]
    replies = [turn for dialogue in dialogues for turn in dialogue[1:]]
    end = torch.tensor([END])
    return (
        pad_sequence(turns, batch_first=True),
        torch.tensor([len(t) for t in turns]),
        [len(d) for d in dialogues],
        pad_sequence([torch.cat([end, r]) for r in replies], batch_first=True),
        pad_sequence([torch.cat([r, end]) for r in replies], batch_first=True, padding_value=-1),
    )


def hred(sizes):
    longest = sizes.length(30)
    dialogues = [
        [torch.randint(1, 10_000, (1 + 7 * (12 * d + t) % longest,)) for t in range(12)]
        for d in range(sizes.batch(16))
    ]
    model = HRED(10_000, 128, 256, 256)
    parts = batch(dialogues)
    count = int((parts[4] >= 0).sum())
    return Workload(
        lambda: model(*parts) / count,
        list(model.parameters()),
        torch.optim.Adam(model.parameters(), lr=1e-3),
        largest_norm=1,
    )


WORKLOADS = {"hred": hred}
