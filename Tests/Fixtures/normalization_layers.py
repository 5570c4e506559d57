# SPDX-License-Identifier: Apache-2.0
"""Makes the reference numbers for the tests of the normalising layers, with PyTorch's modules.

    python3 Tests/Fixtures/normalization_layers.py

Needs torch and safetensors. Writes Tests/KasaneTests/Fixtures/normalization_layers.safetensors, with for each LAYER

    LAYER/x0, LAYER/x1, ...      inputs, channels last; a batch normalisation is trained on all of them in turn
    LAYER/weight, LAYER/bias     the layer's parameters
    LAYER/y0, LAYER/y1, ...      its outputs; those of a batch normalisation in training
    LAYER/weights                of the loss sum(y * weights) on the last input
    LAYER/xGradient, LAYER/weightGradient, LAYER/biasGradient
    LAYER/runningMean, LAYER/runningVariance, LAYER/used
                                 of a batch normalisation: what it keeps, and the last input's output in use
"""
from pathlib import Path

import torch
from safetensors.torch import save_file

PATH = Path(__file__).resolve().parents[1] / "KasaneTests" / "Fixtures" / "normalization_layers.safetensors"


def channels_first(x):
    return x.movedim(-1, 1).contiguous()


def channels_last(x):
    return x.movedim(1, -1).contiguous()


def tensors_of(layer, shapes, moves_channels=True):
    layer = layer.double().train()
    enter = channels_first if moves_channels else torch.Tensor.contiguous
    leave = channels_last if moves_channels else torch.Tensor.contiguous
    parameters = dict(layer.named_parameters())
    with torch.no_grad():
        for parameter in parameters.values():
            parameter.copy_(torch.rand_like(parameter).float() + 0.5)
    result = {name: p.detach().float() for name, p in parameters.items()}
    for i, shape in enumerate(shapes):
        x = (2 * torch.randn(shape) + 1).double().requires_grad_()
        y = leave(layer(enter(x)))
        result |= {f"x{i}": x.detach().float(), f"y{i}": y.detach().float()}
    result["weights"] = torch.randn(y.shape)
    loss = (y * result["weights"]).sum()
    names = ["x"] + list(parameters)
    gradients = torch.autograd.grad(loss, [x] + list(parameters.values()))
    result |= {f"{name}Gradient": gradient.float() for name, gradient in zip(names, gradients)}
    if getattr(layer, "running_mean", None) is not None:
        result["runningMean"] = layer.running_mean.float()
        result["runningVariance"] = layer.running_var.float()
        result["used"] = leave(layer.eval()(enter(x))).detach().float()
    return result


def main():
    torch.manual_seed(8)
    torch.set_num_threads(1)
    nn = torch.nn
    layers = {
        "images": tensors_of(nn.BatchNorm2d(5, momentum=0.2), [(4, 3, 2, 5), (2, 3, 3, 5), (1, 1, 2, 5)]),
        "features": tensors_of(nn.BatchNorm1d(3), [(6, 3), (2, 3)], False),
        "plain": tensors_of(nn.BatchNorm1d(3, affine=False), [(6, 3), (5, 3)], False),
        "layer": tensors_of(nn.LayerNorm((4, 5)), [(2, 3, 4, 5)], False),
        "instance": tensors_of(nn.InstanceNorm2d(4, affine=True, track_running_stats=False), [(2, 3, 5, 4)]),
        "group": tensors_of(nn.GroupNorm(2, 6), [(2, 3, 4, 6)]),
        "rms": tensors_of(nn.RMSNorm(7, eps=1e-6), [(3, 7)], False),
    }
    tensors = {f"{layer}/{name}": t.contiguous() for layer, all in layers.items() for name, t in all.items()}
    save_file(tensors, PATH)
    print(f"{PATH.name}: {PATH.stat().st_size} bytes")


if __name__ == "__main__":
    main()
