"""The people of a video, for what their arms and legs say of what they wear."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from realtime.types import Region
from training.inference.pose import PeopleFinder, Person, limbs_under

RENEWAL = 10  # looks after which others are searched for, besides those that are followed
APART = 0.5  # of a square's side, under which two centres are one person
MOST = 4  # people that are followed


class People:
    """Follows people from look to look: each is searched for where it was, all anew when lost."""

    def __init__(self, finder: PeopleFinder):
        self._finder = finder
        self._people: list[Person] = []
        self._looks = 0

    def __call__(self, image: np.ndarray, regions: Sequence[Region]) -> list[Region]:
        """The regions of a BGR image (H, W, 3), worn ones with the limbs that they cover."""
        if not any(region.bare is not None for region in regions):
            return list(regions)
        self._look(image)
        return [
            region
            if region.bare is None
            else replace(region, limbs=limbs_under(region, self._people))
            for region in regions
        ]

    def _look(self, image: np.ndarray) -> None:
        squares = [person.square for person in self._people]
        if not squares or self._looks % RENEWAL == 0:
            for one in self._finder.find(image):
                if all(one.apart(other) >= APART for other in squares):
                    squares.append(one)
        self._looks += 1
        found = (self._finder.mark(image, square) for square in squares[:MOST])
        self._people = [person for person in found if person is not None]
