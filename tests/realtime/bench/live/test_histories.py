"""Histories of archives: whatever a run suffers, the next one ends as a run from nothing."""

import pytest

from realtime.bench.live import histories
from realtime.bench.live.archive_runs import clip, content_of

pytest.importorskip("pyarrow", reason="pyarrow is not installed")


# Another source, other flags, damaged results, other weights, killed runs, two runs.
@pytest.mark.parametrize(("seed", "count"), [(3, 1), (8, 3)])
def test_histories_end_as_runs_from_nothing(tmp_path, seed, count):
    report = histories.live(tmp_path, seed=seed, count=count, mount=False, ray=False)
    assert report.endswith(f"{count} of {count} equal to a run from nothing"), report


def test_other_pictures_are_noticed(tmp_path):
    first, again, other = (clip(tmp_path / f"{n}.mp4", kind) for n, kind in enumerate((0, 0, 1)))
    assert len(content_of(first)) == 36
    assert content_of(first) == content_of(again) != content_of(other)
