# SPDX-License-Identifier: Apache-2.0
"""Transformers, with PyTorch's own layers: translation, masked words, and encoders at inference."""
import torch
from torch import nn
from torch.nn import functional as F

from torch_workload import Workload, parameters_of


def translation(sizes):
    vocabulary, width, length = 6000, 256, sizes.length(20)
    source, target = nn.Embedding(vocabulary, width), nn.Embedding(vocabulary, width)
    transformer = nn.Transformer(width, 4, 3, 3, 1024, dropout=0.0, batch_first=True)
    output = nn.Linear(width, vocabulary)
    parameters = parameters_of(source, target, transformer, output)
    mask = nn.Transformer.generate_square_subsequent_mask(length)
    shape = (sizes.batch(64), length)
    x, y = torch.randint(vocabulary, shape), torch.randint(vocabulary, shape)

    def loss():
        states = transformer(source(x), target(y), tgt_mask=mask, tgt_is_causal=True)
        return F.cross_entropy(output(states).flatten(0, 1), y.flatten())

    return Workload(loss, parameters, torch.optim.Adam(parameters, lr=1e-4))


class Encoder(nn.Module):
    """Words and places, and a stack of encoder layers with GELU."""

    def __init__(self, width, layers, heads, vocabulary, length):
        super().__init__()
        self.words = nn.Embedding(vocabulary, width)
        self.places = nn.Embedding(length, width)
        layer = nn.TransformerEncoderLayer(
            width, heads, 4 * width, dropout=0.0, activation="gelu", batch_first=True
        )
        self.layers = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.register_buffer("numbers", torch.arange(length))

    def forward(self, x):
        return self.layers(self.words(x) + self.places(self.numbers))


def masked_words(sizes):
    width, vocabulary = 256, 8000
    batch, length = sizes.batch(32), sizes.length(128)
    encoder = Encoder(width, 4, 4, vocabulary, length)
    output = nn.Linear(width, vocabulary)
    parameters = parameters_of(encoder, output)
    x = torch.randint(vocabulary, (batch, length))
    mask = torch.rand(batch, length) < 0.15
    targets = x[mask]
    return Workload(
        lambda: F.cross_entropy(output(encoder(x)[mask]), targets),
        parameters,
        torch.optim.AdamW(parameters, lr=1e-4),
    )


def bert_base(sizes):
    return _at_inference(Encoder(768, 12, 12, 30_522, sizes.length(128)), sizes.batch(1))


def mini_lm(sizes):
    return _at_inference(Encoder(384, 6, 12, 30_522, sizes.length(128)), sizes.batch(8))


def _at_inference(model, batch):
    return model.eval(), torch.randint(30_522, (batch, len(model.numbers)))


def inference(make):
    def workload(sizes):
        model, x = make(sizes)
        return Workload(lambda: model(x))

    return workload


# Each gives a module and its input.
INFERENCE = {"bert-base-infer": bert_base, "minilm-infer-b8": mini_lm}

WORKLOADS = {
    "transformer-mt": translation,
    "bert-mini-mlm": masked_words,
    **{name: inference(make) for name, make in INFERENCE.items()},
}
