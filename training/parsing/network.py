"""Parsers: an EfficientNet-Lite under a light decoder of its features at four resolutions."""

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from preprocessing.images.class_maps import CLASSES, PERSON
from training.models.backbones import BACKBONES
from training.models.layers import Normalise

# Backbone and channels of the decoder.
NETWORKS = {"parser-lite0": ("efficientnet-lite0", 64), "parser-lite2": ("efficientnet-lite2", 96)}
# The last output, beside CLASSES: all pixels of people who are not in a crop's middle.
OUTPUTS = len(CLASSES) + 1


class Parser(nn.Module):
    """Raw pixels (N, 3, H, W), sides in multiples of 32, to logits (N, outputs, H / 4, W / 4).

    Args:
        name: row of NETWORKS.
        outputs: OUTPUTS, or the number of CLASSES for one that takes all people for one.
        size: of a side of the input in pixels; others are as good.
    """

    def __init__(self, name: str, *, outputs: int = OUTPUTS, size: int = 256):
        super().__init__()
        backbone, width = NETWORKS[name]
        row = BACKBONES[backbone]
        self.normalise = Normalise(*row.normalise)
        self.backbone = row.build(size)
        # The last, widest features are of use for classification alone.
        self._layers._conv_head = self._layers._bn1 = nn.Identity()
        self._taps = _taps(self._layers)
        self.lateral = nn.ModuleList(nn.Conv2d(n, width, 1) for n in self._taps.values())
        self.smooth = nn.ModuleList(_smooth(width) for _ in self._taps)
        self.head = nn.Conv2d(width, outputs, 1)

    @property
    def _layers(self) -> Any:
        """The EfficientNet, whose package has no type information."""
        return self.backbone.network

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
            if index in self._taps:
                features.append(x)
        return features


def _taps(layers: Any) -> dict[int, int]:
    """The last blocks of strides 4, 8, 16 and 32, with their channels."""
    strides = [block._depthwise_conv.stride[0] for block in layers._blocks]
    ends = [index - 1 for index, stride in enumerate(strides) if stride == 2][1:]
    ends.append(len(strides) - 1)
    return {index: layers._blocks[index]._project_conv.out_channels for index in ends}


def _smooth(width: int) -> nn.Module:
    """A depthwise 3x3 and a pointwise convolution."""
    return nn.Sequential(
        nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False),
        nn.Conv2d(width, width, 1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    )


def with_other_person(module: nn.Module, state: dict[str, Any], prefix: str, *_: object) -> None:
    """A hook before loading: an older parser's head gets OUTPUTS, in place.

    Other people start as its class `person`.
    """
    for name in (f"{prefix}head.weight", f"{prefix}head.bias"):
        tensor = state.get(name)
        if tensor is not None and len(tensor) == len(CLASSES):
            state[name] = torch.cat([tensor, tensor[PERSON : PERSON + 1]])


class SoftmaxParser(nn.Module):
    """A parser as it is published: probabilities of CLASSES; other people are background."""

    def __init__(self, parser: Parser):
        super().__init__()
        self.parser = parser

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        planes = self.parser(images).float().softmax(dim=1)
        if planes.shape[1] == len(CLASSES):
            return planes
        return torch.cat([planes[:, :1] + planes[:, -1:], planes[:, 1:-1]], dim=1)
