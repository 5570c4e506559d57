# SPDX-License-Identifier: Apache-2.0
"""Networks of dense layers: a variational autoencoder and a step of deep Q-learning."""
import torch
from torch import nn
from torch.nn import functional as F

from torch_workload import Workload


class VariationalAutoencoder(nn.Module):
    def __init__(self, inputs=784, hidden=400, latent=20):
        super().__init__()
        self.encoder_hidden = nn.Linear(inputs, hidden)
        self.encoder_output = nn.Linear(hidden, 2 * latent)
        self.decoder_hidden = nn.Linear(latent, hidden)
        self.decoder_output = nn.Linear(hidden, inputs)

    def loss(self, x):
        moments = self.encoder_output(F.relu(self.encoder_hidden(x)))
        mean, log_variance = moments.chunk(2, dim=1)
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
        logits = self.decoder_output(F.relu(self.decoder_hidden(z)))
        reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
        divergence = (1 + log_variance - mean.square() - log_variance.exp()).sum()
        return reconstruction - 0.5 * divergence


def variational_autoencoder(sizes):
    model = VariationalAutoencoder()
    x = torch.rand(sizes.batch(128), 784)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return Workload(lambda: model.loss(x), list(model.parameters()), optimizer)


def variational_autoencoder_epoch(sizes):
    model, batch = VariationalAutoencoder(), sizes.batch(128)
    images = torch.randint(0, 256, (60_000, 784), dtype=torch.uint8)

    def batches():
        while True:
            for places in torch.randperm(len(images)).split(batch):
                yield images[places].float() / 255

    endless = batches()
    return Workload(
        lambda: model.loss(next(endless)),
        list(model.parameters()),
        torch.optim.Adam(model.parameters(), lr=1e-3),
        steps=-(-len(images) // batch),
    )


def deep_q_update(sizes):
    model = nn.Sequential(
        nn.Linear(4, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2)
    )
    states, targets = torch.randn(sizes.batch(64), 4), torch.randn(sizes.batch(64), 2)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return Workload(
        lambda: F.smooth_l1_loss(model(states), targets), list(model.parameters()), optimizer
    )


WORKLOADS = {
    "vae": variational_autoencoder,
    "vae-epoch": variational_autoencoder_epoch,
    "dqn-update": deep_q_update,
}
