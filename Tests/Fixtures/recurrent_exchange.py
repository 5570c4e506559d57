# SPDX-License-Identifier: Apache-2.0
"""Has PyTorch and Keras write the weights of recurrent layers, and what these compute with them.

    python3 Tests/Fixtures/recurrent_exchange.py [OUTPUT_DIRECTORY]

Needs torch, keras (3, on its torch backend) and safetensors. Writes two files a network, by default into
Tests/KasaneTests/Fixtures/Exchange: NAME.safetensors with the weights by the other library's own names, and
NAME-numbers.safetensors with the input x and the outputs.
"""
import argparse
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import keras
import torch
from keras import layers
from safetensors.torch import save_file
from torch import nn

X = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(1))


def write(directory, name, weights, outputs):
    def plain(tensors):
        return {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}

    save_file(plain(weights), directory / f"{name}.safetensors")
    numbers = {f"output.{n}": value for n, value in enumerate(outputs)}
    save_file(plain({"x": X, **numbers}), directory / f"{name}-numbers.safetensors")
    print(f"{name}: {', '.join(weights)}")


def torch_networks(directory):
    torch.manual_seed(2)
    for kind, make in (("rnn", nn.RNN), ("lstm", nn.LSTM), ("gru", nn.GRU)):
        layer = make(3, 4, 2, bidirectional=True, batch_first=True)
        write(directory, f"torch-{kind}", layer.state_dict(), [layer(X)[0]])
    layer = nn.LSTM(3, 4, bias=False, batch_first=True)
    write(directory, "torch-lstm-plain", layer.state_dict(), [layer(X)[0]])
    # A layer within a model, whose other weights are none of its business.
    model = nn.ModuleDict({"encoder": nn.GRU(3, 4, batch_first=True), "head": nn.Linear(4, 2)})
    write(directory, "torch-model", model.state_dict(), [model["encoder"](X)[0]])
    cell = nn.LSTMCell(3, 4)
    write(directory, "torch-cell", cell.state_dict(), cell(X[:, 0]))


def keras_network(directory, name, *parts):
    model = keras.Sequential([keras.Input((None, 3)), *parts])
    for weight in model.weights:
        # Biases begin as zeros, which would show nothing.
        weight.assign(0.5 * torch.randn(tuple(weight.shape)))
    outputs = model(X)
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    write(directory, name, {w.path: keras.ops.convert_to_tensor(w) for w in model.weights}, outputs)


def keras_networks(directory):
    torch.manual_seed(4)
    options = {"return_sequences": True}
    # Each network has the names that a program gives which makes nothing else.
    for name, parts in (
        ("keras-lstm", lambda: [layers.LSTM(4, **options), layers.LSTM(4, **options)]),
        ("keras-gru", lambda: [layers.GRU(4, **options)]),
        ("keras-rnn", lambda: [layers.SimpleRNN(4, **options)]),
        ("keras-lstm-plain", lambda: [layers.LSTM(4, use_bias=False, **options)]),
        (
            "keras-bidirectional",
            lambda: [layers.Bidirectional(layers.GRU(4, **options)) for _ in range(2)],
        ),
        (
            "keras-summed",
            lambda: [layers.Bidirectional(layers.LSTM(4, **options), merge_mode="sum") for _ in range(2)],
        ),
        (
            "keras-averaged",
            lambda: [layers.Bidirectional(layers.LSTM(4, **options), merge_mode="ave") for _ in range(2)],
        ),
        ("keras-separate", lambda: [layers.Bidirectional(layers.SimpleRNN(4, **options), merge_mode=None)]),
        # Names of the user's own, the reset gate before the product, and a layer that is not recurrent.
        (
            "keras-named",
            lambda: [
                layers.Bidirectional(layers.GRU(4, reset_after=False, name="inner", **options), name="reader"),
                layers.Dense(2, name="head"),
            ],
        ),
    ):
        keras.utils.clear_session()
        keras_network(directory, name, *parts())


def main():
    default = Path(__file__).resolve().parent.parent / "KasaneTests" / "Fixtures" / "Exchange"
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory", nargs="?", type=Path, default=default)
    directory = parser.parse_args().directory
    directory.mkdir(parents=True, exist_ok=True)
    torch_networks(directory)
    with torch.no_grad():
        keras_networks(directory)


if __name__ == "__main__":
    main()
