"""Garments known a fixed number of frames ago, however many frames are begun ahead."""

import pytest

from realtime.analysis.live.known_garments import KnownGarments


@pytest.mark.parametrize("ahead", [0, 1, 3])
def test_the_same_garments_are_known_however_many_frames_are_begun_ahead(ahead):
    known, seen = KnownGarments(lag=3), []
    for frame in range(8 + ahead):
        if frame < 8:
            seen.append(known.begin())
        if frame >= ahead:
            known.add([f"of frame {frame - ahead}"])
    assert seen == [None] * 4 + [[f"of frame {frame}"] for frame in range(4)]


def test_garments_in_doubt_are_unknown():
    known = KnownGarments(lag=0)
    known.begin()
    known.add(None)
    assert known.begin() is None
