"""Ways of finding garments: LOCATORS rows make a function from a BGR image to list[Region]."""

from collections.abc import Callable
from functools import partial

import numpy as np

from preprocessing.regions import whole_image
from preprocessing.segmentation import Segmenter
from realtime.types import Region

Locate = Callable[[np.ndarray], list[Region]]


def whole(image: np.ndarray) -> list[Region]:
    """The whole frame as one garment."""
    return [whole_image(image)]


def nothing(image: np.ndarray) -> list[Region]:
    """No garment: the video passes through."""
    return []


LOCATORS: dict[str, Callable[[], Locate]] = {
    "segment": partial(Segmenter, "border"),
    "grabcut": partial(Segmenter, "grabcut"),
    "green": partial(Segmenter, "green"),
    "motion": partial(Segmenter, "motion"),
    "whole": lambda: whole,
    "none": lambda: nothing,
}
