"""People who were found a moment ago, and who need no detector to be found again.

Finding people costs as much as parsing them. Who stands alone and stays in place is parsed twice
where they were before people are detected again; at once if anything moves beside them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import cv2
import numpy as np

from preprocessing.images.regions import Person, box_iou
from training.inference.people import ParsedPerson

REUSES = 2  # times that a detection serves again
SIDE = 48  # pixels of the shorter side of the frames that are compared
CHANGED = 20  # grey levels by which a pixel of those differs if something moved there
NEWCOMER = 0.004  # of the frame, that changes beside known people if somebody else comes
SAME_PLACE = 0.8  # IoU of what a crop shows of a person with what it showed at the detection
APART = 0.02  # IoU of two people's boxes, from which one may hide a part of the other


class Finder(Protocol):
    """Finds people, and parses those who are known."""

    def __call__(self, image: np.ndarray, /) -> list[ParsedPerson]: ...
    def parse(self, image: np.ndarray, person: Person, /) -> ParsedPerson: ...


@dataclass(frozen=True, eq=False)
class _Detection:
    """The people of a frame, and the frame in grey and small."""

    people: list[ParsedPerson]
    grey: np.ndarray


class KnownPeople:
    """Finds the people of each frame of a source.

    Args:
        finder: asked where those of the frames before do not suffice.
    """

    def __init__(self, finder: Finder):
        self._finder = finder
        self._last: _Detection | None = None
        self._reuses = 0

    def __call__(self, image: np.ndarray) -> list[ParsedPerson]:
        """The people in a BGR image (H, W, 3), the largest first."""
        grey = _small(image)
        people = self._again(image, grey, self._last) if self._last else None
        if people is not None:
            self._reuses += 1
            return people
        people = self._finder(image)
        alone = people and _apart([one.person.box for one in people])
        self._last, self._reuses = _Detection(people, grey) if alone else None, 0
        return people

    def _again(
        self, image: np.ndarray, grey: np.ndarray, last: _Detection
    ) -> list[ParsedPerson] | None:
        """The people of the last detection as they are now; None if they have to be detected."""
        if self._reuses == REUSES or _newcomer(grey, last, scale=len(image) / len(grey)):
            return None
        found = []
        for known in last.people:
            now = self._finder.parse(image, replace(known.person, pose=None))
            if not _same_place(known, now):
                return None
            found.append(now)
        return found


def _small(image: np.ndarray) -> np.ndarray:
    """A BGR frame (H, W, 3) in grey, its shorter side SIDE pixels or less."""
    scale = min(1.0, SIDE / min(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)


def _apart(boxes: Sequence[np.ndarray]) -> bool:
    """True if no two of the boxes xyxy (4,) overlap."""
    overlaps = box_iou(np.stack(boxes), np.stack(boxes))
    return bool((overlaps > APART).sum() == len(boxes))  # each overlaps itself


def _newcomer(grey: np.ndarray, last: _Detection, *, scale: float) -> bool:
    """True if a frame differs from that of the detection beside the people who are known."""
    if grey.shape != last.grey.shape:
        return True
    changed = cv2.absdiff(grey, last.grey) > CHANGED
    for one in last.people:
        x1, y1, x2, y2 = np.clip(one.window.sides / scale, 0, None).astype(int)
        changed[y1 : y2 + 1, x1 : x2 + 1] = False
    return bool(changed.mean() > NEWCOMER)


def _same_place(known: ParsedPerson, now: ParsedPerson) -> bool:
    """True if somebody's body and clothes cover what they covered."""
    return float(box_iou(_extent(known)[None], _extent(now)[None])[0, 0]) >= SAME_PLACE


def _extent(parsed: ParsedPerson) -> np.ndarray:
    """The box float32 (4,) of the cells of a crop that show body or clothes."""
    shown = parsed.probabilities[0] < 0.5
    x, y, width, height = cv2.boundingRect(shown.astype(np.uint8))
    return np.array([x, y, x + width, y + height], np.float32)
