#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Autoencoders in PyTorch, for Tests/KasaneModelsTests/AutoencoderTests.swift: weights as Kasane lays them out, inputs,
noise, and the values and gradients that follow.

    python3 Tests/Fixtures/autoencoders.py
"""

import pathlib

import torch
from safetensors.torch import save_file
from torch.nn.functional import binary_cross_entropy_with_logits, conv2d, conv_transpose2d, pad

FOLDER = pathlib.Path(__file__).parents[1] / "KasaneModelsTests" / "Fixtures" / "Generative"
torch.manual_seed(1)


def weights(shapes):
    return {name: (0.4 * torch.randn(shape)).requires_grad_() for name, shape in shapes.items()}


def save(name, numbers, parameters, values, loss):
    loss.sum().backward()
    numbers |= {f"weight.{n}": p.detach() for n, p in parameters.items()}
    numbers |= {f"gradient.{n}": p.grad for n, p in parameters.items()}
    numbers |= {n: v.detach() for n, v in values.items()}
    FOLDER.mkdir(parents=True, exist_ok=True)
    save_file({n: v.contiguous() for n, v in numbers.items()}, FOLDER / f"{name}.safetensors")


def linear(p, name, x):
    return x @ p[f"{name}.weight"] + p[f"{name}.bias"]


def variational(name, inputs=6, hidden=5, latent=3, batch=4):
    shapes = {
        "encoderHidden.weight": (inputs, hidden), "encoderHidden.bias": (hidden,),
        "encoderOutput.weight": (hidden, 2 * latent), "encoderOutput.bias": (2 * latent,),
        "decoderHidden.weight": (latent, hidden), "decoderHidden.bias": (hidden,),
        "decoderOutput.weight": (hidden, inputs), "decoderOutput.bias": (inputs,),
    }
    if name == "gaussian":
        shapes["logVariance"] = (1,)
    p = weights(shapes)
    x, noise = torch.rand(batch, inputs), torch.randn(batch, latent)
    mean, log_variance = linear(p, "encoderOutput", linear(p, "encoderHidden", x).relu()).chunk(2, 1)
    posterior = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    divergence = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0)).sum(1)
    logits = linear(p, "decoderOutput", linear(p, "decoderHidden", mean + noise * posterior.scale).relu())
    if name == "gaussian":
        normal = torch.distributions.Normal(logits.sigmoid(), (0.5 * p["logVariance"]).exp())
        reconstruction = -normal.log_prob(x).sum(1)
    else:
        reconstruction = binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
    save(
        name, {"x": x, "noise": noise}, p, {"reconstruction": reconstruction, "divergence": divergence},
        reconstruction + 0.5 * divergence)


def convolutional(height=9, width=7, channels=2, latent=3, batch=2):
    rows, columns = (height + 3) // 4, (width + 3) // 4
    size = rows * columns * 2 * channels
    p = weights({
        "encoderConvolutions.0.weight": (3, 3, 1, channels), "encoderConvolutions.0.bias": (channels,),
        "encoderConvolutions.1.weight": (3, 3, channels, 2 * channels), "encoderConvolutions.1.bias": (2 * channels,),
        "encoderOutput.weight": (size, latent), "encoderOutput.bias": (latent,),
        "decoderHidden.weight": (latent, size), "decoderHidden.bias": (size,),
        "decoderConvolutions.0.weight": (3, 3, channels, 2 * channels), "decoderConvolutions.0.bias": (channels,),
        "decoderConvolutions.1.weight": (3, 3, 1, channels), "decoderConvolutions.1.bias": (1,),
    })

    def halved(x, name):
        # As much is added as makes the size a whole number of strides, the larger part at the end.
        high, wide = [max((-(-n // 2) - 1) * 2 + 3 - n, 0) for n in x.shape[2:]]
        x = pad(x, (wide // 2, wide - wide // 2, high // 2, high - high // 2))
        return conv2d(x, p[f"{name}.weight"].permute(3, 2, 0, 1), p[f"{name}.bias"], stride=2).relu()

    def doubled(x, name):
        return conv_transpose2d(x, p[f"{name}.weight"].permute(3, 2, 0, 1), p[f"{name}.bias"], stride=2)

    x = torch.rand(batch, height * width)
    found = halved(halved(x.view(batch, 1, height, width), "encoderConvolutions.0"), "encoderConvolutions.1")
    codes = linear(p, "encoderOutput", found.permute(0, 2, 3, 1).reshape(batch, -1))
    image = linear(p, "decoderHidden", codes).relu().view(batch, rows, columns, -1).permute(0, 3, 1, 2)
    image = doubled(image, "decoderConvolutions.0")[:, :, : 2 * rows, : 2 * columns].relu()
    logits = doubled(image, "decoderConvolutions.1")[:, :, :height, :width].reshape(batch, -1)
    loss = binary_cross_entropy_with_logits(logits, x, reduction="sum")
    save("convolutional", {"x": x}, p, {"codes": codes, "logits": logits}, loss)


variational("bernoulli")
variational("gaussian")
convolutional()
