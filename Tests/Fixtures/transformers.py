# SPDX-License-Identifier: Apache-2.0
"""Makes the reference numbers for the Transformers, with PyTorch's own modules.

    python3 Tests/Fixtures/transformers.py [OUTPUT_DIRECTORY]

Needs torch and safetensors. Writes one file a case, by default into Tests/KasaneModelsTests/Fixtures/Transformers, of the
form that layers.py describes.
"""
import argparse
from pathlib import Path

import torch
from torch import nn

from layers import case


def randomized(module, seed):
    """The module with numbers of a good size everywhere, also where PyTorch begins with zeros and ones."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(1 + 0.3 * noise if "norm" in name and name.endswith("weight") else 0.4 * noise)
    return module.train()


def main():
    parser = argparse.ArgumentParser()
    default = Path(__file__).parent.parent / "KasaneModelsTests/Fixtures/Transformers"
    parser.add_argument("output", nargs="?", type=Path, default=default)
    directory = parser.parse_args().output
    directory.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(3)
    sizes = dict(d_model=8, nhead=2, dim_feedforward=12, dropout=0.0, batch_first=True)
    x = torch.randn(3, 5, 8, generator=generator)
    memory = torch.randn(3, 7, 8, generator=generator)
    padding = torch.tensor([[False] * 7, [False] * 4 + [True] * 3, [False] * 6 + [True]])
    causal = nn.Transformer.generate_square_subsequent_mask(5).double()

    for name, options in {
        "encoder-layer": dict(activation="relu"),
        "encoder-layer-norm-first": dict(activation="gelu", norm_first=True),
    }.items():
        layer = randomized(nn.TransformerEncoderLayer(**sizes, **options), 4)
        case(directory, name, layer, lambda m, x: m(x, src_key_padding_mask=padding), x=memory)
    for name, options in {
        "decoder-layer": dict(activation="gelu"),
        "decoder-layer-norm-first": dict(activation="relu", norm_first=True),
    }.items():
        layer = randomized(nn.TransformerDecoderLayer(**sizes, **options), 5)
        case(
            directory,
            name,
            layer,
            lambda m, x, memory: m(
                x, memory, tgt_mask=causal.to(x.dtype), memory_key_padding_mask=padding, tgt_is_causal=True
            ),
            x=x,
            memory=memory,
        )
    whole = randomized(nn.Transformer(num_encoder_layers=2, num_decoder_layers=2, **sizes), 6)
    case(
        directory,
        "transformer",
        whole,
        lambda m, source, target: m(source, target, tgt_mask=causal.to(target.dtype), tgt_is_causal=True),
        source=memory,
        target=x,
    )


if __name__ == "__main__":
    main()
