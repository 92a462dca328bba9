"""Clicks on garments: which one is meant, and what is kept of it."""

import make
import numpy as np
import pytest

from preprocessing.errors import UsageError
from realtime.page.teaching import MAX_PICKS, Picks, garment_at

SHIRT = make.garment("shirt", track=1, box=(10, 10, 50, 40))
BADGE = make.garment("badge", track=2, box=(20, 20, 30, 30))


@pytest.mark.parametrize(
    ("place", "track"),
    [((25, 25), 2), ((15, 15), 1), ((49.9, 39.9), 1), ((50, 40), None), ((5, 25), None)],
)
def test_the_smallest_garment_at_a_place_is_meant(place, track):
    found = garment_at([SHIRT, BADGE], place)
    assert (found and found.track) == track


@pytest.mark.parametrize("wanted", [{"track": 2}, {"x": 25 / 64, "y": 25 / 48}])
def test_a_picked_garment_is_kept_with_its_frame(wanted):
    picks, labelled = Picks(), make.labelled(0, SHIRT, BADGE)
    number, garment = picks.add(labelled, wanted)
    assert garment is BADGE
    pick = picks.take(number)
    assert pick.garment is BADGE and np.shares_memory(pick.image, labelled.frame.image)
    with pytest.raises(UsageError, match="click it again"):
        picks.take(number)


@pytest.mark.parametrize(
    "wanted", [{}, {"x": 0.1}, {"x": "a", "y": 1}, {"x": 0, "y": 0}, {"track": 3}, {"track": []}]
)
def test_what_is_no_garment_is_refused(wanted):
    with pytest.raises(UsageError):
        Picks().add(make.labelled(0, SHIRT), wanted)


def test_before_the_first_frame_there_is_nothing_to_pick():
    with pytest.raises(UsageError, match="no garment there"):
        Picks().add(None, {"track": 1})


def test_the_oldest_picks_are_dropped():
    picks, labelled = Picks(), make.labelled(0, SHIRT)
    numbers = [picks.add(labelled, {"track": 1})[0] for _ in range(MAX_PICKS + 1)]
    with pytest.raises(UsageError):
        picks.take(numbers[0])
    assert picks.take(numbers[1]).garment is SHIRT
    with pytest.raises(UsageError):
        picks.take("1")
