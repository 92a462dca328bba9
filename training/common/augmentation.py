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
WIDE_ROTATION, WIDE_ZOOM = math.radians(20), 0.2
CONTRAST = 0.2
BACKGROUND = 10.0  # grey level up to which a pixel belongs to the black background
INVERTED, FLAT, STRIPED = 0.25, 0.35, 0.5  # below these draws of 0 to 1, in this order
SLOPE = 0.3  # of the light, from the middle to a side
SATURATION = 0.4
DYED = 0.35  # fraction of the pictures that get another hue
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


def real(images: torch.Tensor) -> torch.Tensor:
    """Simulate real garments that were cut out: rotated, badly segmented, patterned, unevenly lit.

    The black background stays black.
    """
    patterned = _patterned(_warp(images, rotation=WIDE_ROTATION, zoom=WIDE_ZOOM))
    return _erase(_contrast(_relit(patterned)))


def colour(images: torch.Tensor) -> torch.Tensor:
    """Change contrast and saturation, which moves no box."""
    return _saturation(_contrast(images))


def photo(images: torch.Tensor) -> torch.Tensor:
    """Mirror, change contrast and saturation, and erase a rectangle; crops are made at reading."""
    return _erase(_saturation(_contrast(mirror(images))))


def dyed(images: torch.Tensor) -> torch.Tensor:
    """`photo`, with another hue for some of the images, since no colour defines a class."""
    return photo(dye(images))


def dye(images: torch.Tensor) -> torch.Tensor:
    """Colours turned around the grey axis, by any angle, in DYED of the images; grey stays grey."""
    if images.shape[1] == 1:
        return images
    count, device = len(images), images.device
    chosen = torch.rand(count, device=device) < DYED
    angle = _uniform(count, -math.pi, math.pi, like=images) * chosen
    cosine, sine = (v.view(-1, 1, 1) / n for v, n in ((angle.cos(), 1), (angle.sin(), 3**0.5)))
    ones, identity = torch.ones(3, 3, device=device), torch.eye(3, device=device)
    cross = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]], device=device)
    turn = cosine * identity + (1 - cosine) / 3 * ones + sine * cross  # Rodrigues' formula
    return torch.einsum("nij,njhw->nihw", turn, images).clamp_(0, 255)


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
    grid = F.affine_grid(
        torch.stack([across, down], dim=1), list(images.shape), align_corners=False
    )
    return F.grid_sample(images, grid, align_corners=False)


def _contrast(images: torch.Tensor) -> torch.Tensor:
    """Brighter or darker, and a gamma that leaves black black (unlike adding an offset)."""
    gain = 1 + _uniform(len(images), -CONTRAST, CONTRAST, like=images)
    gamma = _uniform(len(images), 1 - CONTRAST, 1 + CONTRAST, like=images)
    shaped = (images / 255).clamp_(0, 1) ** gamma.view(-1, 1, 1, 1)
    return (255 * shaped * gain.view(-1, 1, 1, 1)).clamp_(0, 255)


def _patterned(images: torch.Tensor) -> torch.Tensor:
    """Some garments as dark as they were bright, as silhouettes, or striped."""
    count, device = len(images), images.device
    inside = images > BACKGROUND
    chance = torch.rand(count, 1, 1, 1, device=device)
    grey = _uniform(count, 60, 255, like=images).view(-1, 1, 1, 1)
    angle, period = (
        _uniform(count, 0, math.pi, like=images),
        _uniform(count, 3, 9, like=images) / (2 * math.pi),
    )
    rows = torch.arange(images.shape[2], device=device).view(1, -1, 1)
    columns = torch.arange(images.shape[3], device=device).view(1, 1, -1)
    across = angle.cos().view(-1, 1, 1) * columns + angle.sin().view(-1, 1, 1) * rows
    stripes = 0.75 + 0.25 * (across / period.view(-1, 1, 1)).sin()[:, None]
    shown = torch.where(chance < INVERTED, 255 + BACKGROUND - images, images)
    shown = torch.where((chance >= INVERTED) & (chance < FLAT), grey, shown)
    shown = torch.where((chance >= FLAT) & (chance < STRIPED), shown * stripes, shown)
    return torch.where(inside, shown, images)


def _relit(images: torch.Tensor) -> torch.Tensor:
    """Light from one side."""
    count, _, height, width = images.shape
    slope = _uniform(2 * count, -SLOPE, SLOPE, like=images).view(2, -1, 1, 1, 1)
    y = torch.linspace(-1, 1, height, device=images.device).view(1, 1, -1, 1)
    x = torch.linspace(-1, 1, width, device=images.device).view(1, 1, 1, -1)
    return (images * (1 + slope[0] * x + slope[1] * y)).clamp_(0, 255)


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


AUGMENTATIONS = {
    "none": none,
    "mirror": mirror,
    "light": light,
    "strong": strong,
    "real": real,
    "colour": colour,
    "photo": photo,
    "dyed": dyed,
}
