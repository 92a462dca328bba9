"""Locators without a network: contours by classical segmentation, the whole frame, none."""

from typing import Self

import numpy as np

from preprocessing.images.regions import whole_image
from preprocessing.images.segmentation import Segmenter
from realtime.types import Region


class UnscoredLocator:
    """Base of locators whose regions carry no class scores."""

    info = None
    streams = 1
    every = 3

    def fresh(self) -> Self:
        return self


class SegmenterLocator(UnscoredLocator):
    """Contours of what differs from the background.

    Args:
        method: a row of SEGMENTERS.
    """

    def __init__(self, method: str):
        self._method, self._segment = method, Segmenter(method)

    def fresh(self) -> "SegmenterLocator":
        return SegmenterLocator(self._method)  # methods may model a static background over time

    def __call__(self, image: np.ndarray) -> list[Region]:
        """Garments in a BGR image (H, W, 3), largest first."""
        return self._segment(image)


class WholeFrameLocator(UnscoredLocator):
    """The whole frame as one garment."""

    def __call__(self, image: np.ndarray) -> list[Region]:
        return [whole_image(image)]


class EmptyLocator(UnscoredLocator):
    """No garment: the video passes through."""

    def __call__(self, image: np.ndarray) -> list[Region]:
        return []
