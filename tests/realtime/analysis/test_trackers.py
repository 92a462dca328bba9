"""Trackers: every row of TRACKERS keeps a garment's track ID."""

import numpy as np
import pytest

from realtime.analysis.trackers import TRACKERS
from realtime.types import Region


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
