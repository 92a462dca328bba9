"""The first layer of every network: raw pixels in, standardised pixels out.

Being a layer, it is the same in training, evaluation, ONNX and the live app.
"""

import torch
from torch import nn

# Mean and standard deviation of the Fashion-MNIST training pixels, on a scale of 0 to 1.
FASHION_MNIST_MEAN, FASHION_MNIST_STD = (0.2860,), (0.3530,)


class Normalise(nn.Module):
    """uint8 or float pixels of 0..255, (N, C, H, W), to float32 of mean 0 and deviation 1."""

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]):
        super().__init__()
        self.register_buffer("offset", 255 * torch.tensor(mean).view(1, -1, 1, 1))
        self.register_buffer("scale", 1 / (255 * torch.tensor(std).view(1, -1, 1, 1)))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return (images.float() - self.offset) * self.scale
