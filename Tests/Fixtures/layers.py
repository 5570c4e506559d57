# SPDX-License-Identifier: Apache-2.0
"""Makes the reference numbers for the layers, with PyTorch's own layers.

    python3 Tests/Fixtures/layers.py [OUTPUT_DIRECTORY]

Needs torch and safetensors. Writes one file a case, by default into Tests/KasaneTests/Fixtures/Layers, and
types.safetensors with a tensor of each type. A case's file holds,
in float32 and with PyTorch's names and layouts:

    weight.<name>                       the layer's parameters
    input.<name>                        what it is applied to
    output.<n>                          what it gives
    factor.<n>                          what each output is multiplied by for the loss, the sum of all products
    gradient.weight.<name>, gradient.input.<name>
"""
import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

TOLERANCE = 2e-6


def evaluate(layer, function, inputs, factors, dtype):
    """Outputs and gradients, computed in the given type."""
    layer = layer.to(dtype) if layer is not None else None
    own = {
        name: value.detach().clone().to(dtype).requires_grad_() if value.is_floating_point() else value
        for name, value in inputs.items()
    }
    outputs = function(layer, **own)
    outputs = list(outputs) if isinstance(outputs, (tuple, list)) else [outputs]
    if layer is not None:
        layer.zero_grad()
    loss = sum((y * f.to(dtype)).sum() for y, f in zip(outputs, factors(outputs)))
    loss.backward()
    found = {f"output.{n}": y.detach() for n, y in enumerate(outputs)}
    if layer is not None:
        for name, parameter in layer.named_parameters():
            found[f"gradient.weight.{name}"] = parameter.grad.detach().clone()
    for name, value in own.items():
        if value.is_floating_point():
            found[f"gradient.input.{name}"] = value.grad.detach().clone()
    return found


def case(directory, name, layer, function, **inputs):
    """Writes one file."""
    generator = torch.Generator().manual_seed(1000 + len(name))
    known = []

    def factors(outputs):
        if not known:
            known.extend(torch.randn(y.shape, generator=generator) for y in outputs)
        return known

    found = evaluate(layer, function, inputs, factors, torch.float32)
    weights = {}
    if layer is not None:
        weights = {f"weight.{n}": p.detach().clone() for n, p in layer.named_parameters()}
    exact = evaluate(layer, function, inputs, factors, torch.float64)
    for key, value in exact.items():
        scale = max(value.abs().max().item(), 1e-30) if value.numel() else 1
        difference = (found[key] - value).abs().max().item() / scale if value.numel() else 0
        if difference > TOLERANCE:
            raise SystemExit(f"{name}: {key} is {difference:.1e} from float64")
    tensors = {
        **weights,
        **{f"input.{n}": v for n, v in inputs.items()},
        **{f"factor.{n}": v for n, v in enumerate(known)},
        **found,
    }
    save_file({n: v.contiguous().clone() for n, v in tensors.items()}, directory / f"{name}.safetensors")
    print(f"{name}: {len(tensors)} tensors")


class PaperGRU(nn.Module):
    """Cho et al. 2014: the reset gate before the product; weights in the layout of nn.GRU."""

    def __init__(self, inputs, hidden):
        super().__init__()
        scale = hidden**-0.5
        self.weight_ih = nn.Parameter(scale * torch.randn(3 * hidden, inputs))
        self.weight_hh = nn.Parameter(scale * torch.randn(3 * hidden, hidden))
        self.bias_ih = nn.Parameter(scale * torch.randn(3 * hidden))

    def forward(self, x, h):
        states = []
        u_r, u_z, u_n = self.weight_hh.chunk(3)
        for step in x.unbind(1):
            r, z, n = (step @ self.weight_ih.T + self.bias_ih).chunk(3, 1)
            r, z = torch.sigmoid(r + h @ u_r.T), torch.sigmoid(z + h @ u_z.T)
            n = torch.tanh(n + (r * h) @ u_n.T)
            h = (1 - z) * n + z * h
            states.append(h)
        return torch.stack(states, 1), h


def main():
    default = Path(__file__).resolve().parent.parent / "KasaneTests" / "Fixtures" / "Layers"
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory", nargs="?", type=Path, default=default)
    directory = parser.parse_args().directory
    directory.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    torch.manual_seed(7)

    def apply(layer, x):
        return layer(x)

    case(directory, "linear", nn.Linear(5, 3), apply, x=torch.randn(2, 4, 5))
    case(directory, "linear-vector", nn.Linear(5, 3), apply, x=torch.randn(5))
    case(directory, "linear-plain", nn.Linear(5, 3, bias=False), apply, x=torch.randn(1, 5))
    case(
        directory, "bilinear", nn.Bilinear(4, 3, 5), lambda layer, a, b: layer(a, b),
        a=torch.randn(2, 3, 4), b=torch.randn(2, 3, 3),
    )
    indices = torch.tensor([[1, 0, 3, 3], [6, 2, 0, 1]])
    case(directory, "embedding", nn.Embedding(7, 4), apply, x=indices)
    case(directory, "embedding-padding", nn.Embedding(7, 4, padding_idx=3), apply, x=indices)
    case(directory, "prelu", nn.PReLU(3, init=0.1), apply, x=torch.randn(4, 3))
    case(
        directory, "sequential",
        nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 2)),
        apply, x=torch.randn(3, 4),
    )

    # Initial states are given batch last but one, as PyTorch has them: [layer and direction, batch, hidden].
    for kind, make in (("rnn", nn.RNN), ("lstm", nn.LSTM), ("gru", nn.GRU)):
        for name, options in (
            ("plain", {}),
            ("deep", {"num_layers": 2, "bidirectional": True}),
            ("no-bias", {"bias": False, "bidirectional": True}),
        ):
            count = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
            layer = make(3, 4, batch_first=True, **options)
            x, h, c = torch.randn(2, 5, 3), torch.randn(count, 2, 4), torch.randn(count, 2, 4)
            if kind == "lstm":
                def run(layer, x, h, c):
                    outputs, (h, c) = layer(x, (h, c))
                    return outputs, h, c

                case(directory, f"{kind}-{name}", layer, run, x=x, h=h, c=c)
            else:
                case(directory, f"{kind}-{name}", layer, lambda layer, x, h: layer(x, h), x=x, h=h)
    case(
        directory, "rnn-relu", nn.RNN(3, 4, nonlinearity="relu", batch_first=True),
        lambda layer, x: layer(x)[0], x=torch.randn(2, 5, 3),
    )
    case(
        directory, "gru-paper", PaperGRU(3, 4), lambda layer, x, h: layer(x, h),
        x=torch.randn(2, 5, 3), h=torch.randn(2, 4),
    )
    case(
        directory, "lstm-cell", nn.LSTMCell(3, 4), lambda layer, x, h, c: layer(x, (h, c)),
        x=torch.randn(2, 3), h=torch.randn(2, 4), c=torch.randn(2, 4),
    )
    case(
        directory, "gru-cell", nn.GRUCell(3, 4), lambda layer, x, h: layer(x, h),
        x=torch.randn(2, 3), h=torch.randn(2, 4),
    )

    q, k, v = torch.randn(2, 3, 4, 6), torch.randn(2, 3, 5, 6), torch.randn(2, 3, 5, 7)
    allowed = torch.rand(4, 5) < 0.6
    allowed[:, 0] = True

    def attend(_, q, k, v, **options):
        return F.scaled_dot_product_attention(q, k, v, **options)

    case(directory, "attention", None, attend, q=q, k=k, v=v)
    case(directory, "attention-causal", None, lambda _, q, k, v: attend(_, q, k, v, is_causal=True), q=q, k=k, v=v)
    case(
        directory, "attention-mask", None, lambda _, q, k, v, mask: attend(_, q, k, v, attn_mask=mask),
        q=q, k=k, v=v, mask=allowed,
    )
    case(
        directory, "attention-added", None,
        lambda _, q, k, v, mask: attend(_, q, k, v, attn_mask=mask, scale=0.3),
        q=q, k=k, v=v, mask=torch.randn(2, 1, 4, 5),
    )

    def randomised(layer):
        """Biases begin as zeros, which would show nothing."""
        for parameter in layer.parameters():
            if parameter.dim() == 1:
                nn.init.normal_(parameter)
        return layer

    def self_attention(layer, x):
        mask = torch.triu(torch.ones(5, 5, dtype=torch.bool), 1)
        return layer(x, x, x, attn_mask=mask, average_attn_weights=False)

    case(
        directory, "multi-head-self", randomised(nn.MultiheadAttention(8, 2, batch_first=True)), self_attention,
        x=torch.randn(2, 5, 8),
    )
    padding = torch.tensor([[False, False, False, True, True], [False, True, False, False, False]])

    def cross_attention(layer, q, k, v, mask, padding):
        padding = torch.zeros_like(padding, dtype=mask.dtype).masked_fill(padding, -torch.inf)
        return layer(q, k, v, attn_mask=mask, key_padding_mask=padding, average_attn_weights=False)

    case(
        directory, "multi-head-cross",
        randomised(nn.MultiheadAttention(8, 4, kdim=6, vdim=5, batch_first=True)), cross_attention,
        q=torch.randn(2, 3, 8), k=torch.randn(2, 5, 6), v=torch.randn(2, 5, 5), mask=torch.randn(3, 5),
        padding=padding,
    )
    types(directory)


def types(directory):
    """The numbers 0 to 5 and a half more in every type that both have, as PyTorch writes them."""
    numbers = torch.arange(6).reshape(2, 3) + 0.5
    names = ["float32", "float64", "bfloat16", "float16", "int8", "uint8", "int32", "int64", "bool"]
    tensors = {name: numbers.to(getattr(torch, name)) for name in names}
    tensors["turned"] = numbers.T.contiguous()
    tensors["number"] = torch.tensor(2.5)
    tensors["empty"] = torch.zeros(0, 3)
    save_file(tensors, directory / "types.safetensors", metadata={"format": "pt"})

    # Sequences of different lengths, from states of zeros.
    for kind, make in (("rnn", nn.RNN), ("lstm", nn.LSTM), ("gru", nn.GRU)):
        packed = make(3, 4, 2, batch_first=True, bidirectional=True)

        def run_packed(layer, x):
            lengths = torch.tensor([3, 5, 1])
            sequences = nn.utils.rnn.pack_padded_sequence(x, lengths, True, enforce_sorted=False)
            outputs, states = layer(sequences)
            outputs = nn.utils.rnn.pad_packed_sequence(outputs, True, total_length=6)[0]
            return (outputs, *(states if isinstance(states, tuple) else (states,)))

        case(directory, f"{kind}-packed", packed, run_packed, x=torch.randn(3, 6, 3))


if __name__ == "__main__":
    main()
