"""Clips of people who walk through the picture."""

import numpy as np
import pytest

from preprocessing.errors import DataError
from preprocessing.images.class_maps import CLASSES
from preprocessing.synthesis.crowds import PersonCutout
from preprocessing.synthesis.walks import SIZE, Walker, walk, walkers

SHIRT = np.full((60, 20), CLASSES.index("top"), np.uint8)
PEOPLE = [PersonCutout(np.full((60, 20, 3), grey, np.uint8), SHIRT) for grey in (20, 230)]


def walker(**more) -> Walker:
    values = {"from_left": True, "turn": None, "start": 0.0, "seconds": 4.0, "feet": 400.0}
    return Walker(PEOPLE[0], **values | more)


def test_a_way_leads_from_one_side_out_of_the_other():
    through, back = walker(), walker(from_left=False, turn=0.5)
    assert through.middle(0) == -10 and through.middle(4) == SIZE[0] + 10
    assert through.middle(-0.1) is None and through.middle(4.1) is None
    assert back.middle(0) == SIZE[0] + 10
    ways = [back.middle(time) for time in np.arange(0, 8, 0.01)]
    assert min(x for x in ways if x is not None) == pytest.approx(SIZE[0] / 2, abs=2)


def test_frames_show_who_is_on_the_way():
    rng = np.random.default_rng(0)
    people = walkers(PEOPLE, rng, count=2)
    frames = list(walk(people, rooms=[], rng=rng))
    assert set(frames[3].middles) == {0} and {0, 1} in [set(frame.middles) for frame in frames]
    assert frames[0].image.shape == (SIZE[1], SIZE[0], 3)


def test_more_people_than_there_are():
    with pytest.raises(DataError, match="a walk of 3"):
        walkers(PEOPLE, np.random.default_rng(0), count=3)
