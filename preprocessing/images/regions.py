"""A place in an image: the value that every way of locating gives."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np


@dataclass(frozen=True, eq=False)
class Region:
    """One garment's place in an image.

    Attributes:
        box: float32 (4,), x1 y1 x2 y2 in pixels, half-open, inside the image.
        mask: uint8 (h, w), 255 on the garment and 0 elsewhere, over the box's pixels `window`.
        scores: float32 (classes,), 0 to 1, where what found the garment also names it.
        bare: of a garment on a person, the skin and hair around its lower part as a share of its
            own area, which tells bare arms from sleeves; None where it is not worn, or not known.
        limbs: shares of 0 to 1 of its wearer's forearms and shins that it covers, by their names
            ("forearms", "shins"), as far as they are seen.
    """

    box: np.ndarray
    mask: np.ndarray
    scores: np.ndarray | None = None
    bare: float | None = None
    limbs: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def window(self) -> tuple[int, int, int, int]:
        """The whole pixels that the box touches: x1, y1, x2, y2, half-open."""
        return pixel_window(self.box)

    @classmethod
    def filling(cls, box: np.ndarray, scores: np.ndarray | None = None) -> "Region":
        """The region of all pixels that a box (4,) touches."""
        x1, y1, x2, y2 = pixel_window(box)
        return cls(box, np.full((y2 - y1, x2 - x1), 255, np.uint8), scores)

    @classmethod
    def from_mask(cls, mask: np.ndarray) -> "Region | None":
        """The region of a mask uint8 (H, W) over the whole image; None where it is empty."""
        x, y, width, height = cv2.boundingRect(mask)
        if not width:
            return None
        box = np.array([x, y, x + width, y + height], np.float32)
        return cls(box, mask[y : y + height, x : x + width])


def whole_image(image: np.ndarray) -> Region:
    """All of an image (H, W, ...) as one region."""
    height, width = image.shape[:2]
    return Region.filling(np.array([0, 0, width, height], np.float32))


def pixel_window(box: np.ndarray) -> tuple[int, int, int, int]:
    """The whole pixels that a box (4,) touches: x1, y1, x2, y2, half-open."""
    x1, y1, x2, y2 = box.tolist()
    return math.floor(x1), math.floor(y1), math.ceil(x2), math.ceil(y2)


def box_iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes (N, 4) and (M, 4), float32 (N, M)."""
    top_left = np.maximum(first[:, None, :2], second[None, :, :2])
    bottom_right = np.minimum(first[:, None, 2:], second[None, :, 2:])
    overlap = np.clip(bottom_right - top_left, 0, None).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (first, second)]
    union = areas[0][:, None] + areas[1][None, :] - overlap
    return (overlap / np.maximum(union, 1e-9)).astype(np.float32)
