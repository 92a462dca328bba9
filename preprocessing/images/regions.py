"""Places in an image: Region, which every locator returns, and the geometry of boxes and masks."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np

SPECK = 0.05  # of a mask's largest piece; smaller pieces are labelling errors


@dataclass(frozen=True, eq=False)
class Region:
    """One garment's place in an image.

    Attributes:
        box: float32 (4,), x1 y1 x2 y2 in pixels, half-open, inside the image.
        mask: uint8 (h, w), 255 on the garment and 0 elsewhere, over the box's pixels `window`.
        scores: float32 (classes,), 0 to 1, if the locator also classifies the garment.
        bare: the wearer's skin and hair around the garment's lower two thirds, as a fraction of the
            garment's area: high beside bare arms, near 0 beside sleeves. None if no wearer is
            visible, or if the locator does not segment people.
        limbs: covered fraction, 0 to 1, of the wearer's "forearms" and "shins", from pose
            keypoints; a limb that is not visible is absent.
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
    def from_box(cls, box: np.ndarray, scores: np.ndarray | None = None) -> "Region":
        """The region of all pixels that a box (4,) touches."""
        x1, y1, x2, y2 = pixel_window(box)
        return cls(box, np.full((y2 - y1, x2 - x1), 255, np.uint8), scores)

    @classmethod
    def from_mask(cls, mask: np.ndarray) -> "Region | None":
        """The region of a mask uint8 (H, W) of the whole image; None if the mask is empty."""
        x, y, width, height = cv2.boundingRect(mask)
        if not width:
            return None
        box = np.array([x, y, x + width, y + height], np.float32)
        return cls(box, mask[y : y + height, x : x + width])


def whole_image(image: np.ndarray) -> Region:
    """The region of all of an image (H, W, ...)."""
    height, width = image.shape[:2]
    return Region.from_box(np.array([0, 0, width, height], np.float32))


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


def greedy_matches(overlap: np.ndarray, *, minimum: float) -> list[tuple[int, int]]:
    """Pairs (row, column) of an overlap matrix (N, M), best first, each row and column once.

    Args:
        minimum: overlap of a pair, above 0.
    """
    left, pairs = overlap.copy(), []
    while left.size and left.max() >= minimum:
        row, column = np.unravel_index(left.argmax(), left.shape)
        pairs.append((int(row), int(column)))
        left[row, :] = left[:, column] = 0
    return pairs


def without_specks(cover: np.ndarray) -> np.ndarray:
    """A mask (H, W), non-zero on the object, as uint8 0 or 255 without its small pieces."""
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(cover.astype(np.uint8))
    if count == 1:
        return np.zeros(cover.shape, np.uint8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    kept = 1 + np.flatnonzero(areas >= SPECK * areas.max())
    return np.where(np.isin(pieces, kept), 255, 0).astype(np.uint8)
