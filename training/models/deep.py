"""`deep`: a residual network of 1.03 M parameters, made for 28x28 pixels on a CPU.

Two thirds of the arithmetic of a textbook ResNet-20-wide sit at 28x28, where it is bound by
memory. Here a single stem convolution sees the full resolution; the residual stages run at 14x14
and 7x7 with 64 and 128 channels, which fill the 32-wide bf16 matrix units.
"""

import torch
from torch import nn

from training.models.normalise import FASHION_MNIST_MEAN, FASHION_MNIST_STD, Normalise

STEM_CHANNELS = 32
STAGES = ((64, 3), (128, 3))  # channels, blocks; each stage halves the resolution


class Block(nn.Module):
    """Two 3x3 convolutions around a shortcut (He et al. 2015, arXiv 1512.03385)."""

    def __init__(self, channels_in: int, channels: int, stride: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels_in, channels, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )
        self.shortcut = nn.Identity()
        if stride != 1 or channels_in != channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )
        self.activation = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.activation(self.body(x) + self.shortcut(x))


def build(classes: int) -> nn.Module:
    """A residual network for (N, 1, 28, 28)."""
    layers = [
        Normalise(FASHION_MNIST_MEAN, FASHION_MNIST_STD),
        nn.Conv2d(1, STEM_CHANNELS, 3, padding=1, bias=False),
        nn.BatchNorm2d(STEM_CHANNELS),
        nn.ReLU(inplace=True),
    ]
    channels_in = STEM_CHANNELS
    for channels, blocks in STAGES:
        for index in range(blocks):
            layers.append(Block(channels_in, channels, stride=2 if index == 0 else 1))
            channels_in = channels
    return nn.Sequential(
        *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels_in, classes)
    )
