"""Clips of two people who cross."""

import numpy as np
import pytest

from preprocessing.errors import DataError
from preprocessing.images.class_maps import CLASSES
from preprocessing.synthesis.crossings import FRAMES, crossing
from preprocessing.synthesis.crowds import PersonCutout

SHIRT = np.full((60, 20), CLASSES.index("top"), np.uint8)
PEOPLE = [PersonCutout(np.full((60, 20, 3), grey, np.uint8), SHIRT) for grey in (20, 230)]


def test_two_people_change_sides():
    frames = list(crossing(cutouts=PEOPLE, rooms=[], rng=np.random.default_rng(0)))
    phases = [frame.phase for frame in frames]
    assert FRAMES[0] <= len(frames) <= FRAMES[1]
    assert phases == sorted(phases) and set(phases) == {-1, 0, 1}
    for frame in frames:
        boxes = {number: person.box for number, person in frame.people.items()}
        if frame.phase == -1:
            assert boxes[0][2] <= boxes[1][0]
        elif frame.phase == 1:
            assert boxes[1][2] <= boxes[0][0]
    areas = [[np.prod(f.people[n].box[2:] - f.people[n].box[:2]) if n in f.people else 0
              for f in frames] for n in (0, 1)]  # fmt: skip
    hidden = [min(some) < 0.5 * max(some) for some in areas]
    assert sum(hidden) == 1  # the one behind


def test_one_person_cannot_cross():
    with pytest.raises(DataError, match="needs two people, got 1"):
        next(crossing(cutouts=PEOPLE[:1], rooms=[], rng=np.random.default_rng(0)))
