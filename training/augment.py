"""Augmentation of whole batches on the batch's own device.

Every function takes and gives float32 pixels of 0..255, (N, C, H, W). Working on the batch instead
of on images keeps two CPU cores free for the network.
"""

import math

import torch
from torch.nn import functional as F

SHIFT = 2  # pixels of 28
ROTATION = math.radians(8)
ZOOM = 0.1  # scale of 0.9 to 1.1
CONTRAST = 0.2
SATURATION = 0.4
ERASE_PROBABILITY = 0.5
ERASE_AREA = (0.02, 0.25)


def none(images: torch.Tensor) -> torch.Tensor:
    """The images as they are."""
    return images


def mirror(images: torch.Tensor) -> torch.Tensor:
    """Half of the images mirrored."""
    chosen = torch.rand(len(images), device=images.device) < 0.5
    return torch.where(chosen.view(-1, 1, 1, 1), images.flip(3), images)


def light(images: torch.Tensor) -> torch.Tensor:
    """Mirror and shift."""
    return _warp(images, rotation=0.0, zoom=0.0)


def strong(images: torch.Tensor) -> torch.Tensor:
    """Mirror, shift, rotate, zoom, change the contrast and erase a rectangle."""
    return _erase(_contrast(_warp(images, rotation=ROTATION, zoom=ZOOM)))


def photo(images: torch.Tensor) -> torch.Tensor:
    """Mirror, change contrast and saturation, and erase a rectangle; cuts are made at reading."""
    return _erase(_saturation(_contrast(mirror(images))))


def _uniform(count: int, low: float, high: float, *, like: torch.Tensor) -> torch.Tensor:
    return torch.empty(count, device=like.device).uniform_(low, high)


def _warp(images: torch.Tensor, *, rotation: float, zoom: float) -> torch.Tensor:
    """One affine resampling an image; without rotation and zoom, by whole pixels and so exact."""
    count, size = len(images), images.shape[-1]
    angle = _uniform(count, -rotation, rotation, like=images)
    scale = 1 + _uniform(count, -zoom, zoom, like=images)
    mirror = torch.randint(0, 2, (count,), device=images.device) * 2.0 - 1
    shift = torch.randint(-SHIFT, SHIFT + 1, (count, 2), device=images.device) * 2.0 / size
    cosine, sine = scale * angle.cos(), scale * angle.sin()
    across = torch.stack([cosine * mirror, -sine, shift[:, 0]], dim=1)
    down = torch.stack([sine * mirror, cosine, shift[:, 1]], dim=1)
    grid = F.affine_grid(torch.stack([across, down], dim=1), images.shape, align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)


def _contrast(images: torch.Tensor) -> torch.Tensor:
    """Brighter or darker, and a gamma that leaves black black (unlike adding an offset)."""
    gain = 1 + _uniform(len(images), -CONTRAST, CONTRAST, like=images)
    gamma = _uniform(len(images), 1 - CONTRAST, 1 + CONTRAST, like=images)
    shaped = (images / 255).clamp_(0, 1) ** gamma.view(-1, 1, 1, 1)
    return (255 * shaped * gain.view(-1, 1, 1, 1)).clamp_(0, 255)


def _saturation(images: torch.Tensor) -> torch.Tensor:
    """Paler or stronger colours; grey images stay as they are."""
    amount = 1 + _uniform(len(images), -SATURATION, SATURATION, like=images)
    grey = images.mean(dim=1, keepdim=True)
    return torch.lerp(grey, images, amount.view(-1, 1, 1, 1)).clamp_(0, 255)


def _erase(images: torch.Tensor) -> torch.Tensor:
    """A rectangle of noise in half of the images (Zhong et al. 2017, arXiv 1708.04896)."""
    count, _, height, width = images.shape
    area = _uniform(count, *ERASE_AREA, like=images) * height * width
    aspect = _uniform(count, math.log(0.4), math.log(2.5), like=images).exp()
    half = torch.stack([(area * aspect).sqrt(), (area / aspect).sqrt()]) / 2  # (2, N): y, x
    centre_y = _uniform(count, 0, height, like=images)
    centre_x = _uniform(count, 0, width, like=images)
    rows = torch.arange(height, device=images.device).view(1, -1)
    columns = torch.arange(width, device=images.device).view(1, -1)
    inside_y = (rows - centre_y.view(-1, 1)).abs() < half[0].view(-1, 1)
    inside_x = (columns - centre_x.view(-1, 1)).abs() < half[1].view(-1, 1)
    chosen = torch.rand(count, device=images.device) < ERASE_PROBABILITY
    hole = inside_y[:, None, :, None] & inside_x[:, None, None, :] & chosen.view(-1, 1, 1, 1)
    return torch.where(hole, torch.rand_like(images) * 255, images)


AUGMENTATIONS = {"none": none, "mirror": mirror, "light": light, "strong": strong, "photo": photo}
