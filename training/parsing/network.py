"""`parser-lite0`: EfficientNet-Lite0 under a light decoder of its features at four resolutions."""

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from training.models.backbones import BACKBONES
from training.models.layers import Normalise

WIDTH = 64  # channels of the decoder
# Last block of each resolution, with its channels: strides 4, 8, 16 and 32.
TAPS = {2: 24, 4: 40, 10: 112, 15: 320}


class Parser(nn.Module):
    """Raw pixels (N, 3, H, W), sides in multiples of 32, to logits (N, classes, H / 4, W / 4)."""

    def __init__(self, classes: int, size: int):
        super().__init__()
        row = BACKBONES["efficientnet-lite0"]
        self.normalise = Normalise(*row.normalise)
        self.backbone = row.build(size)
        # The last, widest features are of use for classification alone.
        self._layers._conv_head = self._layers._bn1 = nn.Identity()
        self.lateral = nn.ModuleList(nn.Conv2d(channels, WIDTH, 1) for channels in TAPS.values())
        self.smooth = nn.ModuleList(_smooth() for _ in TAPS)
        self.head = nn.Conv2d(WIDTH, classes, 1)

    @property
    def _layers(self) -> Any:
        """The EfficientNet, whose package has no type information."""
        return self.backbone.network

    def freeze(self, blocks: int) -> None:
        """Freeze the stem and the first blocks of the backbone."""
        layers = self._layers
        for layer in (layers._conv_stem, layers._bn0, *layers._blocks[:blocks]):
            layer.requires_grad_(False)

    def train(self, mode: bool = True) -> "Parser":
        """Set the mode; the backbone keeps its statistics, as those of small batches are worse."""
        super().train(mode)
        for layer in self.backbone.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.eval()
        return self

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        coarser: torch.Tensor | None = None
        for features, lateral, smooth in zip(
            reversed(self._features(self.normalise(images))),
            reversed(self.lateral),
            reversed(self.smooth),
            strict=True,
        ):
            merged = lateral(features)
            if coarser is not None:
                merged = merged + F.interpolate(coarser, scale_factor=2.0, mode="nearest")
            coarser = smooth(merged)
        return self.head(coarser)

    def _features(self, x: torch.Tensor) -> list[torch.Tensor]:
        layers, features = self._layers, []
        x = layers._swish(layers._bn0(layers._conv_stem(x)))
        for index, block in enumerate(layers._blocks):
            x = block(x)
            if index in TAPS:
                features.append(x)
        return features


def _smooth() -> nn.Module:
    """A depthwise 3x3 and a pointwise convolution."""
    return nn.Sequential(
        nn.Conv2d(WIDTH, WIDTH, 3, padding=1, groups=WIDTH, bias=False),
        nn.Conv2d(WIDTH, WIDTH, 1, bias=False),
        nn.BatchNorm2d(WIDTH),
        nn.ReLU(inplace=True),
    )


class SoftmaxParser(nn.Module):
    """A parser as it is published: probabilities instead of logits."""

    def __init__(self, parser: Parser):
        super().__init__()
        self.parser = parser

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.parser(images).float().softmax(dim=1)
