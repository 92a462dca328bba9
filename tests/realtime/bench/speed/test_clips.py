"""The benchmarks' clips."""

import make
import numpy as np
import pytest

from realtime.bench.speed.clips import RATE, Clip, build, looped


@pytest.mark.parametrize("still", [False, True])
def test_clips(tmp_path, still):
    path = build(tmp_path / "clip.mp4", Clip(12, "720p", still=still, sound=True))
    images, _ = make.decoded(path)
    assert len(images) == 12 and images[0].shape == (720, 1280, 3)
    assert make.sound_packets(path)
    moved = np.abs(images[11].astype(int) - images[0]).mean(axis=2).max()
    assert (moved < 60) == still


def test_a_looped_clip(tmp_path):
    once = build(tmp_path / "once.mp4", Clip(7))
    images, times = make.decoded(looped(tmp_path / "looped.mp4", once, 21))
    assert len(images) == 21 and times == [k / RATE for k in range(21)]
    assert np.array_equal(images[1], images[8]) and np.array_equal(images[8], images[15])
