"""Zones and lines: what flags describe, distances and crossings."""

import pytest

from realtime.analysis.zones.areas import Area, read_ignored, read_line, read_zone

UP = Area("door", "line", ((50, 100), (50, 0)))


@pytest.mark.parametrize(
    ("read", "text", "points"),
    [
        (read_zone, "a=0.5,0,1,0,1,1", ((100, 0), (200, 0), (200, 100))),
        (read_zone, "a=10,20,30,40", ((10, 20), (30, 20), (30, 40), (10, 40))),
        (read_line, "a=0.25,1,0.25,0", ((50, 100), (50, 0))),
        (read_ignored, "0,0,0.1,0.1", ((0, 0), (20, 0), (20, 10), (0, 10))),
    ],
)
def test_areas_of_flags(read, text, points):
    assert read(text).in_pixels(200, 100).points == points


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (read_zone, "0,0,1,1"), (read_zone, "=0,0,1,1"), (read_zone, "a=0,0,1"),
        (read_zone, "a=0,0,0,1"), (read_zone, "a=0,0,nan,1"), (read_zone, "a=-1,0,5,5"),
        (read_line, "a=1,1,1,1"), (read_line, "a=0,0,1,1,2,2"), (read_zone, "a=x"),
    ],
)  # fmt: skip
def test_areas_that_are_none(read, text):
    with pytest.raises(ValueError):
        read(text)


def test_the_right_side_of_a_line_is_positive():
    assert UP.distance((60, 500)) == 10 and UP.distance((45, 50)) == -5
    zone = read_zone("a=10,20,30,40")
    assert zone.distance((20, 25)) == 5 and zone.distance((5, 30)) == -5


@pytest.mark.parametrize(
    ("since", "until", "crossed"),
    [((40, 50), (60, 50), True), ((40, 150), (60, 130), False), ((40, 50), (45, 50), False),
     ((40, 140), (60, 40), True), ((40, 50), (40, 50), False)],
)  # fmt: skip
def test_who_walks_past_the_end_of_a_line_does_not_cross_it(since, until, crossed):
    assert UP.is_crossed(since, until) is crossed
