"""How a garment becomes a network's input: CUTS rows, named in every weight file's metadata."""

from collections.abc import Callable

import cv2
import numpy as np

from preprocessing.images.regions import Region
from preprocessing.images.segmentation import to_fashion_mnist

CONTEXT = 0.1  # of a photo cut's side, left free around the garment on each side
Cut = Callable[[np.ndarray, Region, int], np.ndarray]


def fashion_mnist(image: np.ndarray, region: Region, size: int) -> np.ndarray:
    """uint8 (1, size, size) from a BGR image, the way of the data set."""
    return to_fashion_mnist(image, region, size)[None]


def photo(image: np.ndarray, region: Region, size: int) -> np.ndarray:
    """uint8 (3, size, size), BGR planes, of a BGR image: `square`, stretched to the size.

    So a whole photo is simply resized.
    """
    return resize_planes(square(image, region), size)


def square(image: np.ndarray, region: Region) -> np.ndarray:
    """The part of a BGR image in a square around the garment; it ends at the image's border."""
    height, width = image.shape[:2]
    x1, y1, x2, y2 = region.window
    side = round(max(x2 - x1, y2 - y1) * (1 + 2 * CONTEXT))
    left, top = (x1 + x2 - side) // 2, (y1 + y2 - side) // 2
    return image[max(0, top) : min(height, top + side), max(0, left) : min(width, left + side)]


def resize_planes(image: np.ndarray, size: int) -> np.ndarray:
    """A BGR image (H, W, 3) stretched to uint8 (3, size, size)."""
    small = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small.transpose(2, 0, 1))


CUTS: dict[str, Cut] = {"fashion-mnist": fashion_mnist, "photo": photo}
