"""Layers that all networks have: normalisation of raw pixels, pooling, heads.

Normalisation is a layer, and so the same in training, evaluation, ONNX and the live app.
"""

import torch
from torch import nn
from torch.nn import functional as F

from training.inference.weights import Shape

# Mean and standard deviation of the Fashion-MNIST training pixels, on a scale of 0 to 1.
FASHION_MNIST = (0.2860,), (0.3530,)
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # RGB


class Normalise(nn.Module):
    """uint8 or float pixels of 0..255, (N, C, H, W), to float32 of mean 0 and deviation 1.

    Colours come as BGR and leave as RGB; grey becomes as many channels as there are means.
    """

    offset: torch.Tensor
    scale: torch.Tensor

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]):
        super().__init__()
        self.mean, self.std = mean, std
        self.register_buffer("offset", 255 * torch.tensor(mean).view(1, -1, 1, 1))
        self.register_buffer("scale", 1 / (255 * torch.tensor(std).view(1, -1, 1, 1)))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if images.shape[1] == 3:
            images = images.flip(1)
        return (images.float() - self.offset) * self.scale


def normalise_for(channels: int) -> Normalise:
    """Fashion-MNIST's own figures for grey, ImageNet's for colour."""
    return Normalise(*(FASHION_MNIST if channels == 1 else IMAGENET))


def normalisation(network: nn.Module) -> Normalise:
    """The normalising layer of a network."""
    return next(layer for layer in network.modules() if isinstance(layer, Normalise))


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
