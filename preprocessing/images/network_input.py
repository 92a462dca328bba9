"""Turns a garment's region into the input of a network.

The metadata of every weight file names its row of NETWORK_INPUTS, in the field `cut`.
"""

from collections.abc import Callable

import cv2
import numpy as np

from preprocessing.images.regions import Region

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
