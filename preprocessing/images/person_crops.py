"""Crops of people: windows around their boxes, in the shapes that the parser learns from."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

# Height and width of a crop; the first one is taken that is as wide as the person needs.
SHAPES = ((320, 160), (320, 224), (256, 256))
MARGIN = 1.15  # sides of a crop over those of the person's box
SLACK = 1.05  # by which a box may be too wide for a shape
REDUCED = 0.7  # scale below which a crop is drawn from a smaller image: a warp does not average
OVERSAMPLED = 1.3  # pixels of that image over those of the crop


@dataclass(frozen=True, eq=False)
class CropWindow:
    """The part of a frame that a crop shows.

    Attributes:
        sides: float64 (4,), x1 y1 x2 y2 in pixels of the frame; may reach beyond it.
        shape: height and width of the crop.
    """

    sides: np.ndarray
    shape: tuple[int, int]

    @classmethod
    def around(
        cls,
        box: np.ndarray,
        *,
        shapes: Sequence[tuple[int, int]] = SHAPES,
        margin: float = MARGIN,
    ) -> "CropWindow":
        """The window of a person's crop: it keeps the middle of the box xyxy (4,)."""
        x1, y1, x2, y2 = np.asarray(box, float)
        width, height = (x2 - x1) * margin, (y2 - y1) * margin
        shape = next((s for s in shapes if width / height <= SLACK * s[1] / s[0]), shapes[-1])
        aspect = shape[1] / shape[0]
        width, height = max(width, height * aspect), max(height, width / aspect)
        x, y = (x1 + x2) / 2, (y1 + y2) / 2
        sides = np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2])
        return cls(sides, shape)

    @property
    def scale(self) -> tuple[float, float]:
        """Pixels of the crop over those of the frame, along x and y."""
        x1, y1, x2, y2 = self.sides.tolist()
        return self.shape[1] / (x2 - x1), self.shape[0] / (y2 - y1)

    def crop(self, image: np.ndarray) -> np.ndarray:
        """The window of a BGR frame (H, W, 3) as uint8 (height, width, 3), black outside of it."""
        left, top = self.sides[:2]
        x, y = self.scale
        if max(x, y) < REDUCED:
            image, small = _reduced(image, self.sides, OVERSAMPLED * max(x, y))
            left, top = (left - small[0]) * small[2], (top - small[1]) * small[3]
            x, y = x / small[2], y / small[3]
        move = np.array([[x, 0, -left * x], [0, y, -top * y]])
        return cv2.warpAffine(image, move, self.shape[::-1], flags=cv2.INTER_LINEAR)


def _reduced(
    image: np.ndarray, sides: np.ndarray, scale: float
) -> tuple[np.ndarray, tuple[float, float, float, float]]:
    """The part of a frame inside of a window, scaled, with its left, top and scales along x, y."""
    height, width = image.shape[:2]
    x1, y1 = np.clip(np.floor(sides[:2]), 0, (width - 1, height - 1)).astype(int)
    x2, y2 = np.clip(np.ceil(sides[2:]), (x1 + 1, y1 + 1), (width, height)).astype(int)
    part = image[y1:y2, x1:x2]
    size = max(1, round((x2 - x1) * scale)), max(1, round((y2 - y1) * scale))
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    return small, (x1, y1, size[0] / (x2 - x1), size[1] / (y2 - y1))
