"""Trackers: every row of TRACKERS keeps a garment's track ID; people's numbers part garments."""

from dataclasses import replace

import numpy as np
import pytest

from realtime.analysis.trackers import TRACKERS, WORN_PATIENCE, OverlapTracker
from realtime.types import Person, Region


def region(x, side=40):
    return Region.from_box(np.array([x, 0, x + side, side], np.float32))


@pytest.mark.parametrize("name", TRACKERS)
def test_every_tracker_keeps_ids(name):
    if name != "overlap":
        pytest.importorskip("trackers", reason="the optional library `trackers` is not installed")
    tracker = TRACKERS[name]()
    assert tracker([]) == []
    first = tracker([region(0), region(100)])
    assert len(set(first)) == 2 and min(first) > 0
    for step in range(1, 8):
        moved = [region(100 + 3 * step), region(2 * step)]
        assert tracker(moved) == first[::-1]
    assert tracker([region(16)]) == first[:1]
    assert tracker([region(16), region(127)]) == first
    assert len({*first, *tracker([region(16), region(300)])}) == 3


def worn(x, person, layer=None, *, y=0):
    """A garment of a numbered person, with scores for one of three layers."""
    box = np.array([x, y, x + 40, y + 40], np.float32)
    scores = None if layer is None else np.eye(3, dtype=np.float32)[layer]
    wearer = None if person is None else Person(box, number=person)
    return replace(Region.from_box(box, scores), wearer=wearer)


def test_garments_of_two_people_never_match():
    tracker = OverlapTracker()
    assert tracker([worn(0, 1), worn(50, 2)]) == [1, 2]
    assert tracker([worn(0, 2), worn(50, 1)]) == [3, 4]


def test_a_garment_without_a_number_may_be_anybodys():
    tracker = OverlapTracker()
    assert tracker([worn(0, 1), worn(50, 2)]) == [1, 2]
    assert tracker([worn(0, 0), worn(50, None)]) == [1, 2]
    assert tracker([worn(0, 2), worn(50, 1)]) == [1, 2]


def test_garments_of_one_person_and_layer_match_without_overlap():
    tracker = OverlapTracker()
    assert tracker([worn(0, 1, 0), worn(0, 1, 1, y=60), worn(100, 2, 0)]) == [1, 2, 3]
    moved = [worn(300, 1, 1, y=60), worn(300, 1, 0), worn(400, 2, 1)]
    assert tracker(moved) == [2, 1, 4]
    # Without scores the layer is not known; wearers without a number may be two.
    assert tracker([worn(500, 1), worn(600, 0, 0)]) == [5, 6]


def test_who_comes_back_keeps_the_numbers_of_their_garments():
    tracker = OverlapTracker()
    assert tracker([worn(0, 1, 0), worn(100, 2, 0)]) == [1, 2]
    for _ in range(WORN_PATIENCE - 1):
        tracker([])
    assert tracker([worn(100, 0, 0), worn(300, 1, 0)]) == [3, 1]  # nobody known stands there
    for _ in range(WORN_PATIENCE + 1):
        tracker([])
    assert tracker([worn(300, 1, 0)]) == [4]


def test_the_best_overlap_of_one_person_and_layer_comes_first():
    tracker = OverlapTracker()
    assert tracker([worn(0, 1, 0), worn(60, 1, 0)]) == [1, 2]
    assert tracker([worn(90, 1, 0), worn(200, 1, 0)]) == [2, 1]
