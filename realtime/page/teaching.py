"""Garments that were clicked on the page, kept until they have a name."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from preprocessing.errors import UsageError
from realtime.types import Garment, LabelledFrame

MAX_PICKS = 16  # that wait for their names


@dataclass(frozen=True, eq=False)
class Pick:
    """A garment in the frame in which it was clicked.

    Attributes:
        image: BGR uint8 (H, W, 3), of the frame.
    """

    image: np.ndarray
    garment: Garment


class Picks:
    """Clicked garments by numbers; the oldest are dropped."""

    def __init__(self) -> None:
        self._picks: OrderedDict[int, Pick] = OrderedDict()
        self._numbers = count(1)

    def add(self, labelled: LabelledFrame | None, wanted: dict) -> tuple[int, Garment]:
        """Keep the garment that a request asks for; its number.

        Args:
            labelled: the frame in view; None before the first.
            wanted: "track", or "x" and "y" as fractions of the picture's width and height.

        Raises:
            UsageError: there is no such garment.
        """
        garment = _find(labelled, wanted) if labelled else None
        if labelled is None or garment is None:
            raise UsageError("no garment there: click into the box of one")
        number = next(self._numbers)
        self._picks[number] = Pick(labelled.frame.image, garment)
        if len(self._picks) > MAX_PICKS:
            self._picks.popitem(last=False)
        return number, garment

    def take(self, number: object) -> Pick:
        """The garment of a number, which is then forgotten.

        Raises:
            UsageError: there is none.
        """
        pick = self._picks.pop(number, None) if isinstance(number, int) else None
        if pick is None:
            raise UsageError("no such garment: click it again")
        return pick


def _find(labelled: LabelledFrame, wanted: dict) -> Garment | None:
    if "track" in wanted:
        return next((one for one in labelled.garments if one.track == wanted["track"]), None)
    height, width = labelled.frame.image.shape[:2]
    try:
        place = float(wanted["x"]) * width, float(wanted["y"]) * height
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise UsageError("wanted the track of a garment, or x and y from 0 to 1") from error
    return garment_at(labelled.garments, place)


def garment_at(garments: Sequence[Garment], place: tuple[float, float]) -> Garment | None:
    """The smallest garment whose box contains a place, x and y in pixels; None for none."""
    x, y = place
    containing = []
    for garment in garments:
        x1, y1, x2, y2 = garment.region.box.tolist()
        if x1 <= x < x2 and y1 <= y < y2:
            containing.append(((x2 - x1) * (y2 - y1), garment.track, garment))
    return min(containing, key=lambda one: one[:2])[2] if containing else None
