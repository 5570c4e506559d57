# SPDX-License-Identifier: Apache-2.0
"""Makes the reference numbers for the recurrent models, with PyTorch's own modules.

    python3 Tests/Fixtures/recurrent_models.py [OUTPUT_DIRECTORY]

Needs torch and safetensors. Writes one file a case, by default into Tests/KasaneModelsTests/Fixtures/Recurrent, of the
form that layers.py describes.
"""
import argparse
from pathlib import Path

import torch
from torch import nn

from layers import case


class LanguageModel(nn.Module):
    """Word by word, from given states where there are some; the outputs' weight may be the embedding's."""

    def __init__(self, kind, layers=2, hidden=5, is_tied=False):
        super().__init__()
        self.embedding = nn.Embedding(9, hidden if is_tied else 4)
        self.recurrent = kind(self.embedding.embedding_dim, hidden, layers, batch_first=True)
        self.output = nn.Linear(hidden, 9)
        if is_tied:
            self.output.weight = self.embedding.weight

    def forward(self, words, *states):
        states = (states if len(states) == 2 else states[0]) if states else None
        shown, states = self.recurrent(self.embedding(words), states)
        return (self.output(shown), *(states if isinstance(states, tuple) else (states,)))


class NextWord(nn.Module):
    """What comes after some words, from the last state."""

    def __init__(self, kind):
        super().__init__()
        self.embedding = nn.Embedding(9, 4)
        self.recurrent = kind(4, 5, batch_first=True)
        self.output = nn.Linear(5, 9)

    def forward(self, words):
        return self.output(self.recurrent(self.embedding(words))[0][:, -1])


class Translator(nn.Module):
    """Attention by products; the decoder's step sees the context of the step before (Luong et al. 2015)."""

    def __init__(self, source, target, features):
        super().__init__()
        self.features = features
        self.sourceEmbedding = nn.Embedding(source, features)
        self.targetEmbedding = nn.Embedding(target, features)
        self.encoder = nn.LSTM(features, features, bidirectional=True, batch_first=True)
        self.decoder = nn.LSTMCell(3 * features, 2 * features)
        self.query = nn.Linear(2 * features, 2 * features)
        self.output = nn.Linear(4 * features, target)

    def forward(self, source, target, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(
            self.sourceEmbedding(source), lengths, True, enforce_sorted=False
        )
        states, (h, c) = self.encoder(packed)
        states = nn.utils.rnn.pad_packed_sequence(states, True, total_length=source.shape[1])[0]
        h, c = torch.cat([h[0], h[1]], 1), torch.cat([c[0], c[1]], 1)
        context = torch.zeros_like(h)
        padding = torch.arange(source.shape[1])[None] >= lengths[:, None]
        shown = []
        for t in range(target.shape[1]):
            h, c = self.decoder(torch.cat([self.targetEmbedding(target[:, t]), context], 1), (h, c))
            scores = (states @ self.query(h).unsqueeze(2)).squeeze(2).masked_fill(padding, -1e30)
            context = (torch.softmax(scores, 1).unsqueeze(1) @ states).squeeze(1)
            shown.append(torch.cat([h, context], 1))
        return self.output(torch.stack(shown, 1))


class Tagger(nn.Module):
    """Two questions about every token, of 3 and 2 classes."""

    def __init__(self, bidirectional):
        super().__init__()
        self.embedding = nn.Embedding(9, 4)
        self.recurrent = nn.LSTM(4, 5, bidirectional=bidirectional, batch_first=True)
        self.output = nn.Linear(10 if bidirectional else 5, 5)

    def forward(self, words):
        return self.output(self.recurrent(self.embedding(words))[0]).split([3, 2], -1)


def main():
    parser = argparse.ArgumentParser()
    default = Path(__file__).parent.parent / "KasaneModelsTests/Fixtures/Recurrent"
    parser.add_argument("output", nargs="?", type=Path, default=default)
    directory = parser.parse_args().output
    directory.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(5)
    words = torch.randint(9, (3, 4))
    for name, kind in (("lstm-language-model", nn.LSTM), ("gru-language-model", nn.GRU)):
        case(directory, name, LanguageModel(kind), lambda m, words: m(words)[0], words=words)
    lengths = torch.tensor([5, 2, 4])
    case(
        directory, "translator", Translator(7, 8, 3), lambda m, source, target: m(source, target, lengths),
        source=torch.randint(7, (3, 5)), target=torch.randint(8, (3, 4)),
    )
    for name, kind in (("rnn", nn.RNN), ("lstm", nn.LSTM), ("gru", nn.GRU)):
        case(
            directory, f"{name}-next-word", NextWord(kind), lambda m, words: m(words),
            words=torch.randint(9, (4, 5)),
        )
        # Levels in the middle of a text, and what they hand on.
        states = {key: torch.randn(2, 3, 5) for key in ("h", "c")[: 2 if kind is nn.LSTM else 1]}
        case(
            directory, f"{name}-language-model-tied", LanguageModel(kind, is_tied=True),
            lambda m, words, **states: m(words, *states.values()), words=words, **states,
        )
    torch.manual_seed(6)
    for name, both in (("tagger", True), ("forward-tagger", False)):
        case(directory, name, Tagger(both), lambda m, words: m(words), words=words)


if __name__ == "__main__":
    main()
