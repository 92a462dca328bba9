"""`deep`: a residual network of 0.97 M parameters, made for 28x28 pixels on a CPU.

Two thirds of the arithmetic of a textbook ResNet-20-wide sit at 28x28, where it is bound by
memory. Here one block sees the full resolution (without it, validation falls by half a point); the
others run at 14x14 and 7x7 with 64 and 128 channels, which fill the 32-wide bf16 matrix units.
"""

import torch
from torch import nn

from training.inference.weights import Shape
from training.models.layers import make_head, make_pool, normalise_for

STEM_CHANNELS = 32
STAGES = ((32, 1), (64, 2), (128, 3))  # channels, blocks; all but the first halve the resolution


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
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels:
            # Pooled before it is projected, a shortcut sees every pixel (He et al. 2018,
            # arXiv 1812.01187), and its gradient costs a ninth of a strided one's.
            self.shortcut = nn.Sequential(
                nn.AvgPool2d(stride),
                nn.Conv2d(channels_in, channels, 1, bias=False),
                nn.BatchNorm2d(channels),
            )
        self.activation = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.activation(self.body(x) + self.shortcut(x))


class ChannelsLast(nn.Module):
    """Lays a batch out with its channels last, as the matrix units want it.

    One channel alone has no such layout, so what follows the stem would never take it up.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.contiguous(memory_format=torch.channels_last)


def deep(shape: Shape, *, dropout: float) -> nn.Module:
    """A residual network, made for (N, 1, 28, 28)."""
    layers = [
        normalise_for(shape.channels),
        nn.Conv2d(shape.channels, STEM_CHANNELS, 3, padding=1, bias=False),
        ChannelsLast(),
        nn.BatchNorm2d(STEM_CHANNELS),
        nn.ReLU(inplace=True),
    ]
    channels_in = STEM_CHANNELS
    for channels, blocks in STAGES:
        for _ in range(blocks):
            layers.append(Block(channels_in, channels, stride=1 if channels == channels_in else 2))
            channels_in = channels
    pool, features = make_pool(channels_in, shape)
    return nn.Sequential(*layers, *pool, make_head(features, shape, dropout=dropout))
