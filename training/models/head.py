"""The heads that networks share: from feature maps or features to logits."""

import torch
from torch import nn
from torch.nn import functional as F

from training.inference.shape import Shape

# Units between the features and the outputs, each with ReLU, by head.
HIDDEN = {"linear": (), "hidden": (256,), "custom": (1024, 512), "bilinear": ()}
REDUCED = 128  # maps that the bilinear head multiplies with each other
ROOT_FLOOR = 1e-5  # under the root, whose slope at 0 is endless


class BilinearPool(nn.Module):
    """Mean products of every two feature maps, signed roots, of length 1 (Lin et al. 2015,
    arXiv 1504.07889); of so few maps that 16,384 products are left instead of millions.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.reduce = nn.Sequential(
            nn.Conv2d(channels, REDUCED, 1, bias=False), nn.BatchNorm2d(REDUCED)
        )

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        places = self.reduce(maps).flatten(2)  # (N, REDUCED, h * w)
        products = (places @ places.transpose(1, 2)).float().flatten(1) / places.shape[2]
        return F.normalize(products.sign() * (products.abs() + ROOT_FLOOR).sqrt())


def make_pool(channels: int, shape: Shape) -> tuple[list[nn.Module], int]:
    """Layers from feature maps (N, channels, h, w) to features (N, K), and that K."""
    if shape.head == "bilinear":
        return [BilinearPool(channels)], REDUCED**2
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten()], channels


def make_head(features: int, shape: Shape, *, dropout: float) -> nn.Module:
    """Features (N, features) to logits, through the HIDDEN units of the shape's head."""
    layers: list[nn.Module] = []
    for units in HIDDEN[shape.head]:
        layers += [nn.Linear(features, units), nn.ReLU()]
        features = units
    return nn.Sequential(*layers, nn.Dropout(dropout), nn.Linear(features, shape.classes))
