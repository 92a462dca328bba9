"""What is read of a file: marks, whichever way they lie, and what an edit list hides."""

from fractions import Fraction

import make
import numpy as np
import pytest

from realtime.bench.fidelity.contents import of_pictures, read
from realtime.bench.fidelity.inputs import ORIENTATIONS, PATCH, Cell, build, shown
from realtime.sources.geometry import Orientation

TICK = Fraction(1, 1000)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_pictures_that_lie_on_their_side_are_measured_all_the_same(orientation):
    image = orientation.upright(shown(3, width=160, height=96))
    found = of_pictures([image], [Fraction(0)], tick=TICK)
    assert found.upright == (orientation == Orientation())
    assert found.greys.tolist() == [48 + 8 * 3] and found.patches.tolist() == [list(PATCH)]
    assert found.aspect == Fraction(160, 96)


def test_hidden_packets_are_counted(tmp_path):
    given = read(build(Cell("mp4", "H.264", "AAC", "edit list"), tmp_path))
    (track,) = given.tracks
    assert track.hidden > 20 and track.starts[0] < -0.4 and abs(track.heard_from) < 0.03
    assert len(given.times) == len(given.greys) == 8 and given.times[0] == 0


def test_a_clip_of_another_kind(tmp_path):
    found = read(make.clip(tmp_path / "a.mp4", frames=5, aspect=Fraction(4, 3)))
    assert found.times == tuple(Fraction(n, 30) for n in range(5)) and not found.tracks
    assert found.aspect == Fraction(16, 9) and np.ptp(found.greys) > 20
