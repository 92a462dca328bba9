"""`parser-lite0`: EfficientNet-Lite0 with a light decoder over its maps of four resolutions."""

import torch
from torch import nn
from torch.nn import functional as F

from training.models.backbones import BACKBONES
from training.models.normalise import Normalise

WIDTH = 64  # channels of the decoder
# Blocks after which a resolution ends, with their channels: strides 4, 8, 16 and 32.
TAPS = {2: 24, 4: 40, 10: 112, 15: 320}


class Parser(nn.Module):
    """Raw pixels (N, 3, H, W), sides in multiples of 32, to logits (N, classes, H / 4, W / 4)."""

    def __init__(self, classes: int, size: int):
        super().__init__()
        kind = BACKBONES["efficientnet-lite0"]
        self.normalise = Normalise(*kind.normalise)
        self.backbone = kind.build(size)
        # The last, widest maps serve classification alone.
        self.backbone.network._conv_head = self.backbone.network._bn1 = nn.Identity()
        self.lateral = nn.ModuleList(nn.Conv2d(channels, WIDTH, 1) for channels in TAPS.values())
        self.smooth = nn.ModuleList(_smooth() for _ in TAPS)
        self.head = nn.Conv2d(WIDTH, classes, 1)

    def freeze(self, blocks: int) -> None:
        """Keep the backbone's layers before a block as they are."""
        network = self.backbone.network
        for layer in (network._conv_stem, network._bn0, *network._blocks[:blocks]):
            layer.requires_grad_(False)

    def train(self, mode: bool = True) -> "Parser":
        """As ever, but the backbone keeps its statistics: a few views give worse ones."""
        super().train(mode)
        for layer in self.backbone.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.eval()
        return self

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps = self._maps(self.normalise(images))
        found = None
        for features, lateral, smooth in zip(
            reversed(maps), reversed(self.lateral), reversed(self.smooth), strict=True
        ):
            here = lateral(features)
            if found is not None:
                here = here + F.interpolate(found, scale_factor=2.0, mode="nearest")
            found = smooth(here)
        return self.head(found)

    def _maps(self, x: torch.Tensor) -> list[torch.Tensor]:
        network, maps = self.backbone.network, []
        x = network._swish(network._bn0(network._conv_stem(x)))
        for index, block in enumerate(network._blocks):
            x = block(x)
            if index in TAPS:
                maps.append(x)
        return maps


def _smooth() -> nn.Module:
    """A depthwise 3x3 and a pointwise convolution."""
    return nn.Sequential(
        nn.Conv2d(WIDTH, WIDTH, 3, padding=1, groups=WIDTH, bias=False),
        nn.Conv2d(WIDTH, WIDTH, 1, bias=False),
        nn.BatchNorm2d(WIDTH),
        nn.ReLU(inplace=True),
    )


class Answer(nn.Module):
    """The parser as it is published: probabilities instead of logits."""

    def __init__(self, parser: Parser):
        super().__init__()
        self.parser = parser

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.parser(images).float().softmax(dim=1)
