"""Person tracker: the numbers that people keep while they are followed.

A detection is a followed person if it is where the person must be by now and has the colours of the
person's clothes. Both are log-odds; of all assignments that with the largest sum is chosen. Whoever
was hidden or away for longer is recognised by the colours alone, if nobody else wears them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count

import numpy as np

from realtime.analysis.person_tracking.assignment import best_pairs
from realtime.analysis.person_tracking.colours import ClothColours, cloth_colours
from realtime.analysis.person_tracking.motion import Motion
from realtime.types import Person, Region

PATIENCE = 3.0  # seconds out of sight for which a person is expected to go on moving
MEMORY = 10.0  # seconds out of sight after which a person is forgotten
LEAST_ODDS = -0.5  # log-odds of place and colours from which a detection is a followed person
OVERLAP = 0.15  # of the smaller of two boxes, from which one person may hide the other in part
LEARNING = 0.15  # weight of a frame's colours in the mean, from the seventh frame on
# Log-odds of the colours of one part of the body: of equal ones, and what a unit of distance takes
# off, down to the least. Others' clothes may be among those of people who are hidden in part.
ALIKE, SLOPE, MOST_UNLIKE, MOST_UNLIKE_PARTIAL = 1.75, 0.4, -2.5, -1.5
# Distance of colours below which somebody is recognised, and by how much others' must be larger.
SURE_DISTANCE, MARGIN = 3.5, 4.0


@dataclass(frozen=True, eq=False)
class _Seen:
    """A detected person; `partial` if somebody else may hide a part."""

    person: Person
    colours: ClothColours
    partial: bool


class _Followed:
    """A person with a number, as first seen."""

    def __init__(self, number: int, seen: _Seen, *, time: float, frame: tuple[int, int]):
        self.number = number
        self.motion = Motion(seen.person.box, time, frame)
        self.colours = seen.colours
        self._frames = 0 if seen.partial else 1  # in which the colours were the person's own

    def log_odds(self, seen: _Seen, time: float) -> float:
        """Log-odds that a detection is this person, against somebody new."""
        place = self.motion.log_odds(seen.person.box, time, partial=seen.partial)
        return place + self._colour_odds(seen)

    def _colour_odds(self, seen: _Seen) -> float:
        least = MOST_UNLIKE_PARTIAL if seen.partial else MOST_UNLIKE
        distances = self.colours.distances(seen.colours)
        return sum(max(least, ALIKE - SLOPE * distance) for distance in distances)

    def update(self, seen: _Seen, time: float) -> None:
        """Add a detection; colours that may be another one's count until others are known."""
        self.motion.update(seen.person.box, time, partial=seen.partial)
        if not seen.partial:
            self._frames += 1
            weight = max(1 / self._frames, LEARNING)
            self.colours = self.colours.blended(seen.colours, weight)
        elif not self._frames:
            self.colours = self.colours.blended(seen.colours, 0.5)


class PersonTracker:
    """Gives the people of one source numbers, from 1 on; none is given to two people."""

    def __init__(self) -> None:
        self._people: list[_Followed] = []
        self._new_numbers = count(1)

    def start_scene(self) -> None:
        """Forget everybody after a scene cut; numbers go on rising."""
        self._people.clear()

    def __call__(self, image: np.ndarray, regions: list[Region], time: float) -> list[Region]:
        """The regions of a BGR frame (H, W, 3) in their order, with numbered wearers.

        Args:
            time: of the frame in seconds, rising from call to call.
        """
        self._people = [one for one in self._people if time - one.motion.time <= MEMORY]
        expected = [one for one in self._people if time - one.motion.time <= PATIENCE]
        seen = observations(image, regions, [one.motion.box(time) for one in expected])
        matched = self._matched(seen, expected, time)
        numbered = {}
        for row, one in enumerate(seen):
            if row in matched:
                matched[row].update(one, time)
            else:
                frame = image.shape[1], image.shape[0]
                matched[row] = _Followed(next(self._new_numbers), one, time=time, frame=frame)
                self._people.append(matched[row])
            numbered[id(one.person)] = replace(one.person, number=matched[row].number)
        return [
            replace(region, wearer=numbered[id(region.wearer)]) if region.wearer else region
            for region in regions
        ]

    def _matched(
        self, seen: Sequence[_Seen], expected: Sequence[_Followed], time: float
    ) -> dict[int, _Followed]:
        """The followed people by the detections' indices."""
        odds = [[one.log_odds(detection, time) for one in expected] for detection in seen]
        gains = np.array(odds).reshape(len(seen), len(expected)) - LEAST_ODDS
        matched = {row: expected[column] for row, column in best_pairs(gains)}
        left = [row for row in range(len(seen)) if row not in matched]
        if left:
            taken = {one.number for one in matched.values()}
            known = recognised([seen[row].colours for row in left], self._people)
            matched |= {left[row]: one for row, one in known.items() if one.number not in taken}
        return matched


def recognised(
    colours: Sequence[ClothColours], people: Sequence[_Followed]
) -> dict[int, _Followed]:
    """The people of surely equal colours by the colours' indices.

    Nobody else, seen or remembered, may have colours that are nearly as similar.
    """
    distances = np.array(
        [[one.colours.distance(some) for one in people] for some in colours], float
    )
    distances = np.nan_to_num(distances.reshape(len(colours), len(people)), nan=np.inf)
    found = {}
    for row, column in zip(*np.nonzero(distances < SURE_DISTANCE), strict=True):
        least = distances[row, column] + MARGIN
        others = np.delete(distances[row], column), np.delete(distances[:, column], row)
        if np.concatenate(others).min(initial=np.inf) > least:
            found[int(row)] = people[column]
    return found


def observations(
    image: np.ndarray, regions: Sequence[Region], expected: Sequence[np.ndarray]
) -> list[_Seen]:
    """The wearers of the regions, each once.

    Args:
        expected: boxes of those who are followed; who is not detected may be behind another one.
    """
    garments: dict[int, list[Region]] = {}
    people: dict[int, Person] = {}
    for region in regions:
        if region.wearer:
            garments.setdefault(id(region.wearer), []).append(region)
            people[id(region.wearer)] = region.wearer
    partial = _may_overlap([person.box for person in people.values()], expected)
    return [
        _Seen(person, cloth_colours(image, garments[key]), bool(one))
        for (key, person), one in zip(people.items(), partial, strict=True)
    ]


def _may_overlap(boxes: Sequence[np.ndarray], expected: Sequence[np.ndarray]) -> np.ndarray:
    """True for boxes that overlap another one, or two expected ones, bool (N,)."""
    near = _overlapping(boxes, boxes).sum(axis=1) > 1  # each overlaps itself
    return near | (_overlapping(boxes, expected).sum(axis=1) > 1)


def _overlapping(boxes: Sequence[np.ndarray], others: Sequence[np.ndarray]) -> np.ndarray:
    """True where boxes overlap by OVERLAP of the smaller one, bool (N, M)."""
    first, second = (np.reshape(some, (-1, 4)) for some in (boxes, others))
    corner = np.maximum(first[:, None, :2], second[None, :, :2])
    sides = np.minimum(first[:, None, 2:], second[None, :, 2:]) - corner
    areas = [(some[:, 2:] - some[:, :2]).prod(axis=1) for some in (first, second)]
    smaller = np.minimum(areas[0][:, None], areas[1][None])
    return np.clip(sides, 0, None).prod(axis=2) > OVERLAP * smaller
