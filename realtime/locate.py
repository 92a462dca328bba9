"""Ways of finding garments: LOCATORS rows make a function from a BGR image to list[Region]."""

from collections.abc import Callable
from functools import partial

import numpy as np

from preprocessing.segmentation import MovingForeground, SteadyGround, segment
from realtime.types import Region

Locate = Callable[[np.ndarray], list[Region]]


def whole(image: np.ndarray) -> list[Region]:
    """The whole frame as one garment."""
    height, width = image.shape[:2]
    box = np.array([0, 0, width, height], np.float32)
    return [Region(box, np.full((height, width), 255, np.uint8))]


def nothing(image: np.ndarray) -> list[Region]:
    """No garment: the video passes through."""
    return []


LOCATORS: dict[str, Callable[[], Locate]] = {
    "segment": SteadyGround,
    "grabcut": lambda: partial(segment, method="grabcut"),
    "green": lambda: partial(segment, method="green"),
    "motion": MovingForeground,
    "whole": lambda: whole,
    "none": lambda: nothing,
}
