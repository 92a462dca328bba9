"""How a garment becomes a network's input: CUTS rows, named in every weight file's metadata."""

from collections.abc import Callable

import numpy as np

from preprocessing.regions import Region
from preprocessing.segmentation import to_fashion_mnist

Cut = Callable[[np.ndarray, Region, int], np.ndarray]


def fashion_mnist(image: np.ndarray, region: Region, size: int) -> np.ndarray:
    """uint8 (1, size, size) from a BGR image, the way of the data set."""
    return to_fashion_mnist(image, region, size)[None]


CUTS: dict[str, Cut] = {"fashion-mnist": fashion_mnist}
