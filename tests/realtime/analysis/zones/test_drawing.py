"""Zones and lines on the picture."""

import numpy as np
import pytest

from realtime.analysis.zones.drawing import caption, draw_areas
from realtime.types import AreaCount

ZONE = AreaCount("floor", "zone", ((10, 10), (90, 10), (90, 90), (10, 90)), entered=3, left=1,
                 inside=2, stays=2, stayed=9.0, broken=1)  # fmt: skip
LINE = AreaCount("door", "line", ((300, 200), (300, 100)), entered=2)


def test_captions():
    assert caption(ZONE) == "floor: 2 inside, 3 in, 1 out, mean stay 4 s, 1 broken"
    assert caption(LINE) == "door: 2 in, 0 out"


def test_the_arrow_of_an_upward_line_points_to_the_right():
    picture = np.zeros((240, 640, 3), np.uint8)
    draw_areas(picture, [LINE])
    middle = picture[145:156].any(axis=(0, 2))
    assert middle[303:307].all() and not middle[290:297].any()


@pytest.mark.parametrize("size", [(20, 20), (240, 320), (2160, 3840)])
def test_areas_beyond_the_picture_are_clipped(size):
    picture = np.zeros((*size, 3), np.uint8)
    draw_areas(picture, [ZONE, LINE, AreaCount("", "ignored", ZONE.points)])
    assert picture.any()
