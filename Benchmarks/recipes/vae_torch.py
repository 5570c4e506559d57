#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The recipe vae in PyTorch: the same network, first weights by the same rule, the same schedule.

    python3 Benchmarks/recipes/vae_torch.py --data MNIST_FOLDER
    kasane train vae --data MNIST_FOLDER
"""

import argparse
import gzip
import pathlib
import time

import numpy
import torch
from torch import nn
from torch.nn import functional

parser = argparse.ArgumentParser()
parser.add_argument("--data", required=True)
parser.add_argument("--hidden", type=int, default=400)
parser.add_argument("--latent", type=int, default=20)
parser.add_argument("--likelihood", choices=["bernoulli", "gaussian"], default="bernoulli")
parser.add_argument("--beta", type=float, default=1)
parser.add_argument("--epochs", type=int, default=20)
parser.add_argument("--batch", type=int, default=128)
parser.add_argument("--learning-rate", type=float, default=0.001)
parser.add_argument("--samples", type=int, default=0, help="of the estimate of the log-likelihood")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()
torch.manual_seed(options.seed)
torch.set_num_threads(options.threads)


def images(name: str) -> torch.Tensor:
    raw = gzip.decompress((pathlib.Path(options.data) / f"{name}-images-idx3-ubyte.gz").read_bytes())
    count = int.from_bytes(raw[4:8], "big")
    pixels = numpy.frombuffer(raw, numpy.uint8, offset=16).reshape(count, -1)
    return torch.from_numpy(pixels.astype(numpy.float32) / 255)


class VAE(nn.Module):
    def __init__(self, inputs: int):
        super().__init__()
        self.encoder_hidden = nn.Linear(inputs, options.hidden)
        self.encoder_output = nn.Linear(options.hidden, 2 * options.latent)
        self.decoder_hidden = nn.Linear(options.latent, options.hidden)
        self.decoder_output = nn.Linear(options.hidden, inputs)
        self.log_variance = nn.Parameter(torch.zeros(1)) if options.likelihood == "gaussian" else None
        for module in self.children():
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)

    def sample(self, x):
        mean, log_variance = self.encoder_output(self.encoder_hidden(x).relu()).chunk(2, 1)
        noise = torch.randn_like(mean)
        return mean, log_variance, noise, mean + noise * (0.5 * log_variance).exp()

    def surprise(self, z, x):
        logits = self.decoder_output(self.decoder_hidden(z).relu())
        if self.log_variance is None:
            return functional.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
        distance = (x - logits.sigmoid()).square() / self.log_variance.exp()
        return 0.5 * (distance + self.log_variance + numpy.log(2 * numpy.pi)).sum(1)

    def forward(self, x):
        mean, log_variance, _, z = self.sample(x)
        divergence = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(1)
        return self.surprise(z, x), divergence

    def log_likelihood(self, x, samples):
        weights = []
        for _ in range(samples):
            _, log_variance, noise, z = self.sample(x)
            ratio = 0.5 * (noise.square() + log_variance - z.square()).sum(1)
            weights.append(ratio - self.surprise(z, x))
        return torch.stack(weights).logsumexp(0) - numpy.log(samples)


train, test = images("train"), images("t10k")
model = VAE(train.shape[1])
optimizer = torch.optim.Adam(model.parameters(), lr=options.learning_rate)
begun = time.perf_counter()
for epoch in range(options.epochs):
    for places in torch.randperm(len(train)).split(options.batch):
        x = train[places]
        reconstruction, divergence = model(x)
        loss = (reconstruction + options.beta * divergence).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        parts = [model(x) for x in test.split(1000)]
        reconstruction = torch.cat([p[0] for p in parts]).mean().item()
        divergence = torch.cat([p[1] for p in parts]).mean().item()
    print(
        f"epoch {epoch + 1}/{options.epochs}  negative ELBO {reconstruction + divergence:.2f}  "
        f"reconstruction {reconstruction:.2f}  KL {divergence:.2f}  {time.perf_counter() - begun:.0f} s", flush=True)
if options.samples:
    with torch.no_grad():
        estimate = torch.cat([model.log_likelihood(x, options.samples) for x in test.split(1000)]).mean().item()
    print(f"log-likelihood {estimate:.2f}, estimated with {options.samples} samples for each image")
