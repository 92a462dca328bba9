"""Locator of people's garments: each person is detected and parsed in a crop of their own.

The parser sees a person at the scale that it was trained on, near or far, and tells the person in
the middle of a crop from the neighbours. A frame in which nobody is found is parsed as a whole, for
garments that lie, hang or are held up.
"""

from collections.abc import Sequence

import numpy as np

from preprocessing.images.regions import box_iou
from realtime.analysis.known_people import Finder, KnownPeople
from realtime.analysis.network_locators import ParserLocator
from realtime.types import Region

LEAST_AREA = 0.0015  # of a frame, that a worn garment covers: smaller ones cannot be named
# A garment that nobody wears is what the picture shows if it covers so much of it, and its middle
# is so near to the picture's, in sides: all of 114 photos of single garments are so, a curtain not.
SUBJECT, CENTRAL = 0.15, 0.2
SAME_GARMENT = 0.5  # IoU of two people's garments of one layer, above which they are one


class PeopleLocator:
    """Regions with masks, layer scores and wearers.

    Args:
        frames: parses the frames in which nobody is.
        remembers: people of the frames before are not searched for again, see `KnownPeople`; frames
            are then taken one after the other.
    """

    every = 4

    def __init__(self, people: Finder, frames: ParserLocator, *, remembers: bool = False):
        self.info, self.streams = frames.info, 1 if remembers else frames.streams
        self._finder, self._frames, self._remembers = people, frames, remembers
        self._people = KnownPeople(people) if remembers else people

    def __call__(self, image: np.ndarray) -> list[Region]:
        """Garments in a BGR image (H, W, 3), person by person, the largest person first."""
        height, width = image.shape[:2]
        people = self._people(image)
        if not people:
            return _subjects(self._frames(image), width=width, height=height)
        found = [
            region
            for one in people
            for region in one.garments(width=width, height=height)
            if self._frames.wanted(region)
        ]
        return _at_least(LEAST_AREA * height * width, without_doubles(found))

    def fresh(self) -> "PeopleLocator":
        return PeopleLocator(self._finder, self._frames, remembers=self._remembers)


def _subjects(regions: Sequence[Region], *, width: int, height: int) -> list[Region]:
    """Regions that are what a frame shows."""
    middle = np.array([width, height]) / 2
    reach = CENTRAL * 2 * middle
    return [
        region
        for region in _at_least(SUBJECT * height * width, regions)
        if (np.abs((region.box[:2] + region.box[2:]) / 2 - middle) <= reach).all()
    ]


def _at_least(pixels: float, regions: Sequence[Region]) -> list[Region]:
    """Regions that cover enough pixels."""
    return [region for region in regions if np.count_nonzero(region.mask) >= pixels]


def without_doubles(regions: Sequence[Region]) -> list[Region]:
    """Regions in their order, of which no two people share one: who wears it more surely keeps it.

    A neighbour's sleeve in a person's crop, or a person detected twice, gives such doubles.
    """
    kept: list[Region] = []
    for region in sorted(regions, key=_certainty, reverse=True):
        if not any(_same(region, other) for other in kept):
            kept.append(region)
    order = {id(region): number for number, region in enumerate(regions)}
    return sorted(kept, key=lambda region: order[id(region)])


def _certainty(region: Region) -> float:
    return 0.0 if region.scores is None else float(region.scores.max())


def _same(first: Region, second: Region) -> bool:
    """True for garments of one layer, but of two people, that cover the same place."""
    if first.wearer is second.wearer or first.scores is None or second.scores is None:
        return False
    if first.scores.argmax() != second.scores.argmax():
        return False
    return float(box_iou(first.box[None], second.box[None])[0, 0]) > SAME_GARMENT
