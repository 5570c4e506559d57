# SPDX-License-Identifier: Apache-2.0
"""Makes the reference numbers for the networks for images, small ones of each family, with PyTorch's layers.

    python3 Tests/Fixtures/vision.py [OUTPUT_DIRECTORY]

Needs torch and safetensors. Writes one file a network, by default into Tests/KasaneModelsTests/Fixtures/Vision. A file
holds, computed in float64 and written in float32, with the library's names and layouts:

    weight.<name>      the parameters and running statistics
    images, labels     what the network is applied to
    use                the logits in use
    training           the logits in training
    gradient.<name>    the gradient of the mean cross-entropy in training
    gradient.images
    after.<name>       the running statistics after that pass
"""
import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F


class ConvolutionNorm(nn.Module):
    def __init__(self, inputs, outputs, size, stride=1, groups=1, relu=True):
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False)
        self.normalization = nn.BatchNorm2d(outputs)
        self.relu = relu

    def forward(self, x, residual=None):
        y = self.normalization(self.convolution(x))
        y = y if residual is None else y + residual
        return F.relu(y) if self.relu else y


class Separable(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.depthwise = ConvolutionNorm(inputs, inputs, 3, stride, inputs)
        self.pointwise = ConvolutionNorm(inputs, outputs, 1)

    def forward(self, x):
        return self.pointwise(self.depthwise(x))


class MobileNetV1(nn.Module):
    def __init__(self, classes, width):
        super().__init__()
        plan = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)] + 5 * [(512, 1)] + [(1024, 2), (1024, 1)]
        channels = lambda count: max(8, int(count * width + 0.5))
        self.stem = ConvolutionNorm(3, channels(32), 3, 2)
        inputs, blocks = channels(32), []
        for outputs, stride in plan:
            blocks.append(Separable(inputs, channels(outputs), stride))
            inputs = channels(outputs)
        self.blocks = nn.ModuleList(blocks)
        self.output = nn.Linear(inputs, classes)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.output(x.mean((2, 3)))


class DenseLayer(nn.Module):
    def __init__(self, inputs, growth):
        super().__init__()
        self.normalization = nn.BatchNorm2d(inputs)
        self.reduce = ConvolutionNorm(inputs, 4 * growth, 1)
        self.spatial = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x):
        return self.spatial(self.reduce(F.relu(self.normalization(x))))


class Transition(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.normalization = nn.BatchNorm2d(inputs)
        self.reduce = nn.Conv2d(inputs, inputs // 2, 1, bias=False)

    def forward(self, x):
        return F.avg_pool2d(self.reduce(F.relu(self.normalization(x))), 2)


class DenseNet(nn.Module):
    def __init__(self, classes, depths, growth):
        super().__init__()
        channels = 2 * growth
        self.stem = ConvolutionNorm(3, channels, 7, 2)
        blocks, transitions = [], []
        for index, depth in enumerate(depths):
            blocks.append(nn.ModuleList(DenseLayer(channels + k * growth, growth) for k in range(depth)))
            channels += depth * growth
            if index < len(depths) - 1:
                transitions.append(Transition(channels))
                channels //= 2
        self.blocks, self.transitions = nn.ModuleList(blocks), nn.ModuleList(transitions)
        self.normalization = nn.BatchNorm2d(channels)
        self.output = nn.Linear(channels, classes)

    def forward(self, x):
        x = F.max_pool2d(self.stem(x), 3, 2, 1)
        for index, block in enumerate(self.blocks):
            for layer in block:
                x = torch.cat([x, layer(x)], 1)
            if index < len(self.transitions):
                x = self.transitions[index](x)
        return self.output(F.relu(self.normalization(x)).mean((2, 3)))


class Bottleneck(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.reduce = ConvolutionNorm(inputs, width, 1)
        self.spatial = ConvolutionNorm(width, width, 3, stride)
        self.expand = ConvolutionNorm(width, 4 * width, 1)
        same = inputs == 4 * width and stride == 1
        self.shortcut = None if same else ConvolutionNorm(inputs, 4 * width, 1, stride, relu=False)

    def forward(self, x):
        return self.expand(self.spatial(self.reduce(x)), x if self.shortcut is None else self.shortcut(x))


class ResNet(nn.Module):
    def __init__(self, classes, depths, width):
        super().__init__()
        self.stem = ConvolutionNorm(3, width, 7, 2)
        inputs, stages = width, []
        for stage, depth in enumerate(depths):
            blocks = []
            for index in range(depth):
                blocks.append(Bottleneck(inputs, width << stage, 2 if stage > 0 and index == 0 else 1))
                inputs = 4 * (width << stage)
            stages.append(nn.ModuleList(blocks))
        self.stages = nn.ModuleList(stages)
        self.output = nn.Linear(inputs, classes)

    def forward(self, x):
        x = F.max_pool2d(self.stem(x), 3, 2, 1)
        for stage in self.stages:
            for block in stage:
                x = block(x)
        return self.output(x.mean((2, 3)))


def name_of(name):
    return name.replace("running_mean", "runningMean").replace("running_var", "runningVariance")


def turned(value):
    """In the library's layout."""
    if value.dim() == 4:
        return value.permute(2, 3, 1, 0)
    return value.T if value.dim() == 2 else value


def write(directory, name, model, side):
    generator = torch.Generator().manual_seed(len(name))
    model.double()
    with torch.no_grad():
        for key, value in model.state_dict().items():
            if not value.is_floating_point():
                continue
            noise = torch.randn(value.shape, generator=generator).double()
            if value.dim() > 1:
                fan = value[0].numel()
                value.copy_(noise * (2 / fan) ** 0.5)
            elif "var" in key or key.endswith("normalization.weight"):
                value.copy_(1 + 0.2 * noise.tanh())
            else:
                value.copy_(0.2 * noise)
            value.copy_(value.float())
    state = {k: v.clone() for k, v in model.state_dict().items() if v.is_floating_point()}
    found = {f"weight.{name_of(key)}": turned(value) for key, value in state.items()}
    images = torch.randn(4, 3, side, side, generator=generator).double().requires_grad_()
    labels = torch.randint(5, (4,), generator=generator)
    found["images"], found["labels"] = images.detach().permute(0, 2, 3, 1), labels
    found["use"] = model.eval()(images).detach()
    logits = model.train()(images)
    F.cross_entropy(logits, labels).backward()
    found["training"] = logits.detach()
    found["gradient.images"] = images.grad.permute(0, 2, 3, 1)
    for key, parameter in model.named_parameters():
        found[f"gradient.{key}"] = turned(parameter.grad)
    for key, value in model.state_dict().items():
        if "running" in key:
            found[f"after.{name_of(key)}"] = value
    ready = {k: (v.float() if v.is_floating_point() else v).contiguous() for k, v in found.items()}
    save_file(ready, directory / f"{name}.safetensors")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = Path(__file__).resolve().parent.parent
    default = here / "KasaneModelsTests" / "Fixtures" / "Vision"
    parser.add_argument("directory", nargs="?", type=Path, default=default)
    directory = parser.parse_args().directory
    directory.mkdir(parents=True, exist_ok=True)
    write(directory, "mobilenet", MobileNetV1(5, 0.015), 33)
    write(directory, "densenet", DenseNet(5, [2, 2], 4), 32)
    write(directory, "resnet", ResNet(5, [1, 2], 4), 35)


if __name__ == "__main__":
    main()
