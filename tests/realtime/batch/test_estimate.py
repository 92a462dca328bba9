"""Hours and size of an archive: before it is run, and what is left of a run."""

import re

import make
import pytest

from realtime.batch import archive
from realtime.batch.estimate import Measured, Remaining, clock, estimate, in_bytes
from realtime.batch.provenance import settings_of, weights_of
from realtime.batch.units import units_of
from realtime.settings import Recognition

LIGHT = Recognition(model="deep", locator="none")


def test_what_is_left_goes_by_the_frames_that_are_done():
    times = iter([100.0, 110.0, 160.0, 200.0])
    remaining = Remaining(400, now=lambda: next(times))
    assert remaining.ended(100) == "25 %, 0:00:30 left"
    assert remaining.ended(200) == "75 %, 0:00:20 left"
    assert remaining.ended(100) == "100 %, 0:00:00 left"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0:00:00"), (59.2, "0:01:00"), (90_061, "25:01:01")]
)
def test_clock(seconds, words):
    assert clock(seconds) == words


@pytest.mark.parametrize(
    ("count", "words"), [(7, "7 B"), (1234, "1.23 kB"), (5e9, "5 GB"), (2e15, "2e+03 TB")]
)
def test_bytes(count, words):
    assert in_bytes(count) == words


def test_the_samples_stand_for_all_frames(tmp_path):
    settings, weights = settings_of(LIGHT, rows_only=True), weights_of(LIGHT)
    video = make.clip(tmp_path / "a.mp4", frames=40)
    units = units_of(str(video), tmp_path / "units", 10, settings=settings, weights=weights)
    measured = Measured(frames=10, seconds=2.0, size=500)
    assert estimate(units, measured, workers=4) == (
        "40 frames to do, at 5.0 a second and worker (10 were tried): 0:00:02 on 4 workers, "
        "4 kB in --out (half of them in units/)"
    )
    assert "no sample of them could be read" in estimate(units, Measured(), workers=1)
    assert estimate([], Measured(), workers=1) == "nothing to do"


def test_a_dry_run_writes_nothing(tmp_path, capsys):
    video = make.moving_clip(tmp_path / "a.mp4", repeats=5)
    (tmp_path / "bad.mp4").write_text("no video")
    flags = ("--model", "deep", "--locate", "segment", "--unit-frames", "50", "--dry-run")
    given = (str(tmp_path / "bad.mp4"), str(video), "--out", str(tmp_path / "out"))
    assert archive.main([*given, *flags, "--workers", "2"]) == 3  # as the run would end
    out, errors = capsys.readouterr()
    assert re.match(r"200 frames to do, at [\d.]+ a second and worker \(\d+ were tried\)", out)
    assert " on 2 workers, " in out and "4 units of 1 videos, 0 reused, 4 to do" in errors
    assert "bad.mp4" in errors and not (tmp_path / "out").exists()
