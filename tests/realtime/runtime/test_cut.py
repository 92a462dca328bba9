"""Times of a cut, as people write them."""

from fractions import Fraction

import pytest

from realtime.runtime.cut import clock_text, read_seconds


@pytest.mark.parametrize(
    ("text", "seconds", "clock"),
    [
        ("90", 90, "0:01:30.000"),
        ("1.25", Fraction(5, 4), "0:00:01.250"),
        ("1:30", 90, "0:01:30.000"),
        ("01:02:03.5", Fraction(7447, 2), "1:02:03.500"),
        ("00:00:05,200", Fraction(26, 5), "0:00:05.200"),
        ("100:00", 6000, "1:40:00.000"),
    ],
)
def test_times_are_read_as_people_write_them(text, seconds, clock):
    assert read_seconds(text) == seconds and clock_text(read_seconds(text)) == clock


@pytest.mark.parametrize("text", ["", "x", "-1", "1:75", "1:60:00", "1:2:3:4", "1e3", "inf"])
def test_other_texts_are_no_times(text):
    with pytest.raises(ValueError):
        read_seconds(text)
