"""The first layer of every network: raw pixels in, standardised pixels out.

Being a layer, it is the same in training, evaluation, ONNX and the live app.
"""

import torch
from torch import nn

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
