# SPDX-License-Identifier: Apache-2.0
"""Convolutional networks for images: MobileNet, DenseNet-121 and ResNet-50, channels last."""
import torch
from torch import nn
from torch.nn import functional as F

from torch_workload import Workload


def convolution(inputs, outputs, size, stride=1, groups=1):
    """A convolution that keeps the image's size but for the stride, normalised and rectified."""
    return [
        nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    ]


def classifier(features):
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(features, 1000)]


def mobile_net():
    """Howard et al. 2017, table 1."""
    layers = convolution(3, 32, 3, stride=2)
    channels = 32
    outputs_and_strides = (
        [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)]
        + 5 * [(512, 1)]
        + [(1024, 2), (1024, 1)]
    )
    for outputs, stride in outputs_and_strides:
        layers += convolution(channels, channels, 3, stride, groups=channels)
        layers += convolution(channels, outputs, 1)
        channels = outputs
    return nn.Sequential(*layers, *classifier(channels))


class DenseLayer(nn.Module):
    """Adds `growth` channels to those that come in."""

    def __init__(self, inputs, growth):
        super().__init__()
        self.first_norm, self.second_norm = nn.BatchNorm2d(inputs), nn.BatchNorm2d(4 * growth)
        self.reduce = nn.Conv2d(inputs, 4 * growth, 1, bias=False)
        self.convolution = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x):
        narrow = self.reduce(F.relu(self.first_norm(x), inplace=True))
        added = self.convolution(F.relu(self.second_norm(narrow), inplace=True))
        return torch.cat([x, added], dim=1)


def dense_net():
    """DenseNet-121 (Huang et al. 2017, table 1)."""
    growth, channels, blocks = 32, 64, (6, 12, 24, 16)
    layers = convolution(3, channels, 7, stride=2) + [nn.MaxPool2d(3, 2, padding=1)]
    for block, count in enumerate(blocks):
        for _ in range(count):
            layers.append(DenseLayer(channels, growth))
            channels += growth
        layers += [nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]
        if block < len(blocks) - 1:
            layers += [nn.Conv2d(channels, channels // 2, 1, bias=False), nn.AvgPool2d(2)]
            channels //= 2
    return nn.Sequential(*layers, *classifier(channels))


class Bottleneck(nn.Module):
    """Three convolutions whose result is added to the input; the second one strides."""

    def __init__(self, inputs, width, stride):
        super().__init__()
        outputs = 4 * width
        self.body = nn.Sequential(
            *convolution(inputs, width, 1),
            *convolution(width, width, 3, stride),
            nn.Conv2d(width, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut = nn.Identity()
        if stride > 1 or inputs != outputs:
            projection = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.shortcut = nn.Sequential(projection, nn.BatchNorm2d(outputs))

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x), inplace=True)


def res_net():
    """ResNet-50 (He et al. 2016, table 1), the stride at the 3 by 3 convolution."""
    layers = convolution(3, 64, 7, stride=2) + [nn.MaxPool2d(3, 2, padding=1)]
    channels = 64
    for stage, count in enumerate((3, 4, 6, 3)):
        width = 64 << stage
        for block in range(count):
            stride = 2 if stage > 0 and block == 0 else 1
            layers.append(Bottleneck(channels, width, stride))
            channels = 4 * width
    return nn.Sequential(*layers, *classifier(channels))


def _images(sizes, batch):
    side = sizes.image()
    images = torch.randn(sizes.batch(batch), 3, side, side)
    return images.to(memory_format=torch.channels_last)


def at_inference(make, batch):
    def model_and_input(sizes):
        model = make().to(memory_format=torch.channels_last).eval()
        return model, _images(sizes, batch)

    return model_and_input


def inference(make):
    def workload(sizes):
        model, x = make(sizes)
        return Workload(lambda: model(x))

    return workload


def training(make, batch):
    def workload(sizes):
        model = make().to(memory_format=torch.channels_last)
        x = _images(sizes, batch)
        labels = torch.randint(1000, (len(x),))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        return Workload(
            lambda: F.cross_entropy(model(x), labels), list(model.parameters()), optimizer
        )

    return workload


# Each gives a module and its input.
INFERENCE = {
    "mobilenet-v1-infer": at_inference(mobile_net, 1),
    "densenet121-infer": at_inference(dense_net, 1),
    "resnet50-infer": at_inference(res_net, 1),
}

WORKLOADS = {
    "mobilenet-v1-infer": inference(INFERENCE["mobilenet-v1-infer"]),
    "mobilenet-v1-train": training(mobile_net, 16),
    "densenet121-infer": inference(INFERENCE["densenet121-infer"]),
    "densenet121-train": training(dense_net, 8),
    "resnet50-infer": inference(INFERENCE["resnet50-infer"]),
    "resnet50-train": training(res_net, 8),
}
