"""Find garments in a way of one's own, here by their colour, and let the networks name them."""

import sys

import cv2
import numpy as np

from realtime import Recogniser
from realtime.analysis.locators import LOCATORS, LocatorRow
from realtime.types import Region


class Coloured:
    """The largest thing of strong colour; the contract is `Locator` of that module."""

    info = None  # no class scores
    streams, every = 1, 1  # a frame at a time, and every one

    def __call__(self, image: np.ndarray) -> list[Region]:
        strong = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)[..., 1] > 100
        count, pieces, stats, _ = cv2.connectedComponentsWithStats(strong.astype(np.uint8))
        if count == 1:
            return []
        largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
        region = Region.from_mask(np.where(pieces == largest, 255, 0).astype(np.uint8))
        return [region] if region else []

    def fresh(self) -> "Coloured":
        return self  # the same for all sources: it remembers nothing


LOCATORS["coloured"] = LocatorRow(build=lambda options: Coloured())


def main(picture: str) -> None:
    print(Recogniser(locator="coloured")(picture))


if __name__ == "__main__":
    main(*sys.argv[1:])
