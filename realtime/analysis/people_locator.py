"""Locator of people's garments: each person is detected and parsed in a crop of their own.

The parser sees a person at the scale that it was trained on, near or far, and tells the person in
the middle of a crop from the neighbours. A frame in which nobody is detected is parsed as a whole,
for garments that lie, hang or are held up.
"""

from collections.abc import Sequence

import numpy as np

from preprocessing.images.class_maps import worn_garments
from preprocessing.images.person_crops import CropWindow
from preprocessing.images.regions import Person, box_iou
from realtime.analysis.network_locators import ParserLocator
from realtime.types import Region
from training.inference.detector import Detector
from training.inference.parser import FrameParser

MOST_PEOPLE = 12  # of a frame that are parsed, the largest first
LEAST_SIDE = 12  # pixels of a person's shorter side
LEAST_AREA = 0.0015  # of a frame, that a worn garment covers: smaller ones cannot be named
INSIDE = 0.8  # of the smaller box, within the other, from which two may be of one person
SAME_HEAD = 0.15  # of their height, within which the upper ends of such boxes are one head
UNSURE = 0.6  # of the surer one's score, below which a box within another is a part
SUBJECT = 0.03  # of a frame, that a garment covers which nobody wears: smaller ones are clutter
SAME_GARMENT = 0.5  # IoU of two people's garments of one layer, above which they are one


class PeopleLocator:
    """Regions with masks, layer scores and wearers.

    Args:
        detector: of the one class `person`.
        frames: parses the frames in which nobody is.
    """

    every = 3
    stateful = False

    def __init__(self, detector: Detector, parser: FrameParser, frames: ParserLocator):
        self.info, self.streams = frames.info, frames.streams
        self._detector, self._parser, self._frames = detector, parser, frames

    def __call__(self, image: np.ndarray) -> list[Region]:
        """Garments in a BGR image (H, W, 3), person by person, the largest person first."""
        pixels = image.shape[0] * image.shape[1]
        found = [one for person in self.people(image) for one in self._worn_by(image, person)]
        if found:
            found = [one for one in found if self._frames.wanted(one)]
            return _at_least(LEAST_AREA * pixels, without_doubles(found))
        return _at_least(SUBJECT * pixels, self._frames(image))

    def people(self, image: np.ndarray) -> list[Person]:
        """The people in a BGR image (H, W, 3), the largest first."""
        detections = self._detector(image)
        people = [
            Person(box, float(score))
            for box, score in zip(detections.boxes, detections.confidences, strict=True)
            if (box[2:] - box[:2]).min() >= LEAST_SIDE
        ]
        return sorted(people, key=lambda one: -float(np.prod(one.box[2:] - one.box[:2])))[
            :MOST_PEOPLE
        ]

    def _worn_by(self, image: np.ndarray, person: Person) -> list[Region]:
        """The garments of a person; none of what was taken for one, in which no body is visible."""
        window = CropWindow.around(person.box)
        height, width = image.shape[:2]
        planes = self._parser.parse(window.crop(image))
        found = worn_garments(planes, window, person, limits=(width, height))
        return [region for region in found if region.wearer]


def without_parts(people: Sequence[Person]) -> list[Person]:
    """People without boxes that show a part of another one, the surest first.

    A box within another is the same person's if both begin at the same head, or if it is much less
    sure; else somebody smaller stands before somebody large.
    """
    kept: list[Person] = []
    for person in sorted(people, key=lambda one: -one.score):
        if not any(_part_of(person, other) for other in kept):
            kept.append(person)
    return kept


def _part_of(person: Person, other: Person) -> bool:
    """True if a person's box and a surer one's are of the same person."""
    first, second = person.box, other.box
    common = np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2])
    shared = float(np.clip(common, 0, None).prod())
    if shared < INSIDE * min(_area(first), _area(second)):
        return False
    height = max(first[3] - first[1], second[3] - second[1])
    one_head = abs(first[1] - second[1]) < SAME_HEAD * height
    return one_head or person.score < UNSURE * other.score


def _area(box: np.ndarray) -> float:
    return float(np.prod(box[2:] - box[:2]))


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
