"""Where people are expected; a person of 60 x 200 pixels has a size of 120."""

import numpy as np
import pytest

from realtime.analysis.person_tracking.motion import Motion

FRAME = (640, 480)


def box(x, *, width=60, y=240):
    return np.array((x - width / 2, y - 100, x + width / 2, y + 100), np.float32)


def walking(speed, *, until=2.0):
    """A person who walked to x = 300 at a speed in pixels a second."""
    motion = Motion(box(300 - speed * until), 0.0, FRAME)
    for time in np.arange(0.1, until + 0.01, 0.1):
        motion.update(box(300 + speed * (time - until)), float(time), partial=False)
    return motion


def test_people_go_on_walking_and_slow_down():
    motion = walking(100)
    assert motion.box(2.0) == pytest.approx([270, 140, 330, 340], abs=2)
    near, late = (motion.box(2.0 + passed)[0] - motion.box(2.0)[0] for passed in (0.1, 60.0))
    assert near == pytest.approx(8.4, abs=0.1) and late == pytest.approx(105, abs=1)


def test_the_expected_place_is_the_most_probable():
    motion = walking(100)
    odds = [motion.log_odds(box(x), 2.5, partial=False) for x in (280, 341, 400, 600)]
    assert odds[1] == max(odds) > 2 > 0 > odds[3]
    # Of somebody unseen for longer, a far place is less surprising.
    assert motion.log_odds(box(500), 5.0, partial=False) > motion.log_odds(
        box(500), 2.5, partial=False
    )


def test_another_size_is_less_probable_unless_seen_in_part():
    motion = walking(0)
    whole, narrow = box(300), box(300, width=30)
    assert (
        motion.log_odds(narrow, 2.1, partial=False)
        < motion.log_odds(whole, 2.1, partial=False) - 1.5
    )
    partial = [motion.log_odds(one, 2.1, partial=True) for one in (whole, narrow)]
    assert partial[1] > partial[0] - 0.2


def test_the_border_hides_a_part_but_moves_nobody():
    motion = walking(0)
    motion = Motion(box(600), 0.0, FRAME)
    for step in range(1, 9):
        x = 600 + 5 * step
        cut = np.minimum(box(x), np.array((640, 480, 640, 480), np.float32))
        motion.update(cut, step / 8, partial=False)
    assert motion.box(1.0) == pytest.approx([610, 140, 670, 340], abs=4)
