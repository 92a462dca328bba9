"""Materials of drawn people and garments."""

import numpy as np
import people
import pytest

from preprocessing.images.class_maps import FIRST
from preprocessing.labels import LAYERS
from preprocessing.synthesis.people.heads import Head
from preprocessing.synthesis.people.scenes import Materials
from preprocessing.synthesis.people.sprites import Sprite

TOP, TROUSERS = (FIRST + LAYERS.index(name) for name in ("top", "trousers"))


class Drawn:
    """A sprite that is in memory already."""

    def __init__(self, image, classes, *, exact=True):
        self._sprite = Sprite(image, classes, exact)

    def read(self):
        return self._sprite


@pytest.fixture(scope="session")
def materials():
    """Four people, a T-shirt, and a head for it."""
    rng = np.random.default_rng(0)
    drawn = [people.person(rng) for _ in range(4)]
    class_of = np.array([0, 1, TOP, TROUSERS], np.uint8)
    shirt, mask = np.full((60, 50, 3), (40, 40, 160), np.uint8), np.zeros((60, 50), np.uint8)
    mask[5:55, 5:45] = TOP
    head = Head(np.full((40, 30, 3), 150, np.uint8), np.full((40, 30), 255, np.uint8), 34)
    garment = Drawn(shirt, mask)
    return Materials([Drawn(image, class_of[mask]) for image, mask in drawn], [garment],
                     upper=[garment], heads=[head])  # fmt: skip
