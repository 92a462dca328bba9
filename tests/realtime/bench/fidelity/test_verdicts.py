"""Every loss is seen: frames, times, sound, orientation, aspect, colour."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from realtime.bench.fidelity.contents import Content, Track
from realtime.bench.fidelity.verdicts import EXACT, PROPERTIES, REPORTED, WRONG, verdicts

TICK = Fraction(1, 1000)
STARTS = tuple(Fraction(n, 50) for n in range(-1, 6))
PACKETS = tuple(f"packet {n}".encode() for n in range(7))
TRACK = Track("aac", STARTS, PACKETS, hidden=1)
GIVEN = Content(
    times=(Fraction(0), Fraction(1, 25), Fraction(3, 25)),
    tick=TICK,
    greys=np.array([48.0, 56.0, 64.0]),
    patches=np.full((3, 3), 100.0),
    upright=True,
    aspect=Fraction(16, 9),
    tracks=(TRACK,),
)


def shifted(seconds):
    starts = tuple(start + seconds for start in STARTS)
    times = tuple(time + seconds for time in GIVEN.times)
    return {"times": times, "tracks": (replace(TRACK, starts=starts, hidden=0),)}


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({}, set()),
        ({"greys": np.array([48.0, 48.0, 64.0])}, {"frames", "times", "colour"}),
        ({"times": (Fraction(0), Fraction(1, 25) + TICK, Fraction(3, 25))}, {"times"}),
        (shifted(Fraction(1, 50)), set()),  # Matroska, where a block of sound comes first
        (shifted(Fraction(1, 2)), {"times"}),
        ({"tracks": ()}, {"sound"}),
        ({"tracks": (replace(TRACK, packets=PACKETS[::-1]),)}, {"sound"}),
        ({"tracks": (replace(TRACK, packets=PACKETS[:-1], starts=STARTS[:-1]),)}, {"sound"}),
        ({"tracks": (replace(TRACK, packets=PACKETS[1:], starts=STARTS[1:], hidden=0),)}, set()),
        ({"tracks": (replace(TRACK, packets=PACKETS[2:], starts=STARTS[2:], hidden=0),)},
         {"sound"}),
        ({"tracks": (replace(TRACK, starts=tuple(s + 2 * TICK for s in STARTS)),)}, {"sound"}),
        ({"upright": False}, {"orientation"}),
        ({"aspect": Fraction(4, 3)}, {"aspect"}),
        ({"patches": np.full((3, 3), 102.5)}, {"colour"}),
        ({"patches": np.full((3, 3), 101.5)}, set()),
    ],
)  # fmt: skip
def test_losses(changes, wrong):
    found = verdicts(GIVEN, replace(GIVEN, **changes), "")
    assert found == {name: WRONG if name in wrong else EXACT for name in PROPERTIES}


def test_a_loss_of_sound_may_be_reported():
    line = "in.mkv: sound track 1 (pcm_u8) does not fit into .mp4 and is left out: ..."
    found = verdicts(GIVEN, replace(GIVEN, tracks=(), upright=False), line)
    assert (found["sound"], found["orientation"]) == (REPORTED, WRONG)
