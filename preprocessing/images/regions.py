"""Regions of an image, the geometry of boxes and masks, and the crops that networks take.

The metadata of every weight file names its row of NETWORK_INPUTS, in the field `cut`.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np

from preprocessing.images.poses import Pose

SPECK = 0.05  # of a mask's largest piece; smaller pieces are labelling errors


@dataclass(frozen=True, eq=False)
class Person:
    """One person's place in an image.

    Attributes:
        box: float32 (4,), x1 y1 x2 y2 in pixels, inside the image.
        score: 0 to 1, of the detection.
        number: above 0, the same in all frames in which the person is followed; 0 until it is
            given.
        pose: keypoints, if they were estimated already.
    """

    box: np.ndarray
    score: float = 1.0
    number: int = 0
    pose: Pose | None = None


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
        wearer: who wears the garment, the same object for all garments of one person; None if
            nobody does, or if the locator does not tell people apart.
    """

    box: np.ndarray
    mask: np.ndarray
    scores: np.ndarray | None = None
    bare: float | None = None
    limbs: Mapping[str, float] = field(default_factory=dict)
    wearer: Person | None = None

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


def garment_pixels(image: np.ndarray, region: Region) -> np.ndarray:
    """The pixels BGR uint8 (N, 3) that a region covers; those of its box if it covers none."""
    x1, y1, x2, y2 = region.window
    pixels = image[y1:y2, x1:x2][region.mask > 0]
    return pixels if len(pixels) else image[y1:y2, x1:x2].reshape(-1, 3)


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


CONTEXT = 0.1  # margin around the garment on each side of a square crop, as a fraction of its side

# From a BGR image uint8 (H, W, 3), a region and a side in pixels to uint8 (channels, side, side).
NetworkInput = Callable[[np.ndarray, Region, int], np.ndarray]


def fashion_mnist_input(image: np.ndarray, region: Region, size: int) -> np.ndarray:
    """The garment in the style of Fashion-MNIST, uint8 (1, size, size)."""
    return to_fashion_mnist(image, region, size)[None]


def photo_input(image: np.ndarray, region: Region, size: int) -> np.ndarray:
    """The square crop around the garment, stretched: BGR planes uint8 (3, size, size).

    A region of the whole image gives the whole image.
    """
    return resize_planes(square_crop(image, region), size)


def square_crop(image: np.ndarray, region: Region) -> np.ndarray:
    """The square around the garment with CONTEXT around it, cropped at the image's borders."""
    height, width = image.shape[:2]
    x1, y1, x2, y2 = region.window
    side = round(max(x2 - x1, y2 - y1) * (1 + 2 * CONTEXT))
    left, top = (x1 + x2 - side) // 2, (y1 + y2 - side) // 2
    return image[max(0, top) : min(height, top + side), max(0, left) : min(width, left + side)]


def resize_planes(image: np.ndarray, size: int) -> np.ndarray:
    """A BGR image (H, W, 3) stretched to planes uint8 (3, size, size)."""
    small = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small.transpose(2, 0, 1))


def to_fashion_mnist(image: np.ndarray, region: Region, size: int = 28) -> np.ndarray:
    """The garment as a picture of Fashion-MNIST, uint8 (size, size): bright on black, centred.

    Follows section 2 of arXiv 1708.07747: trim to the garment, longest edge to size with the aspect
    ratio kept, grey, negate, centre, pad. The mask sets the background to black, which is white in
    the original photos and black after negation.
    """
    x1, y1, x2, y2 = region.window
    crop = image[y1:y2, x1:x2]
    longest = max(crop.shape[:2])
    width, height = (max(1, round(size * side / longest)) for side in crop.shape[1::-1])
    small = cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA)
    cover = cv2.resize(region.mask, (width, height), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    negative = ((255 - grey).astype(np.uint16) * cover // 255).astype(np.uint8)
    canvas = np.zeros((size, size), np.uint8)
    left, top = (size - width) // 2, (size - height) // 2
    canvas[top : top + height, left : left + width] = negative
    return canvas


NETWORK_INPUTS: dict[str, NetworkInput] = {
    "fashion-mnist": fashion_mnist_input,
    "photo": photo_input,
}
