"""The files of an index: newest versions, killed runs, merging, retention."""

from datetime import datetime

import pytest

from preprocessing.errors import DataError, SinkError
from realtime.search.schema import MANIFEST, Stay, check
from realtime.search.storage import RunWriter, compact, newest, table_of
from realtime.search.summary import read_summaries


def stay(number, **values):
    usual = {"run": "run", "camera": "door", "source": "a.mp4", "place": "", "first": 0.0,
             "last": 1.0, "name": "dress", "leaf": "dress"}  # fmt: skip
    return Stay(stay=number, **usual | values)


def parts(index):
    return sorted(index.glob("live/*/part-*.parquet"))


def rows(index):
    return sorted(index.glob("rows/day=*/camera=*/*.parquet"))


def test_the_newest_version_keeps_the_crop_of_an_older_one():
    table = newest(table_of([
        stay(2, version=1, crop=b"a"), stay(1, version=1), stay(2, version=2, crop=b"b"),
        stay(2, version=3, open=False, last=9.0), stay(1, version=2, last=5.0),
    ]))  # fmt: skip
    assert table["stay"].to_pylist() == [1, 2]
    assert table["last"].to_pylist() == [5.0, 9.0]
    assert table["crop"].to_pylist() == [None, b"b"]


def test_a_run_that_ends_leaves_rows_by_day_and_camera(tmp_path):
    writer = RunWriter(tmp_path, "run")
    writer.open()
    writer.append([stay(1, version=1)])
    dated = stay(2, version=1, open=False, first_wall=datetime(2026, 5, 3, 12))
    writer.append([stay(1, version=2, open=False), dated])
    assert len(parts(tmp_path)) == 2 and not rows(tmp_path)
    writer.close()
    found = [path.parent.relative_to(tmp_path).as_posix() for path in rows(tmp_path)]
    assert found == ["rows/day=2026-05-03/camera=door", "rows/day=undated/camera=door"]
    assert not list((tmp_path / "live").iterdir())


def test_a_killed_run_is_completed_by_the_next(tmp_path):
    killed = RunWriter(tmp_path, "killed")
    killed.open()
    killed.append([stay(1, version=1)])
    going_on = RunWriter(tmp_path, "next")
    going_on.open()
    assert len(parts(tmp_path)) == 1  # it holds its lock
    killed._lock.release()
    assert compact(tmp_path)[0] == 1
    assert not parts(tmp_path) and len(rows(tmp_path)) == 1
    going_on.close()


def test_merging_and_retention(tmp_path):
    for number, day in enumerate((1, 1, 2), start=1):
        writer = RunWriter(tmp_path, f"run-{number}")
        writer.open()
        writer.append([stay(number, version=1, open=False, first_wall=datetime(2020, 1, day))])
        writer.close()
    assert compact(tmp_path) == (0, 2, 0)
    assert len(rows(tmp_path)) == 2
    (summary,) = read_summaries(tmp_path)
    assert summary.count == 3 and summary.leaves == ("dress",)
    assert compact(tmp_path, keep_days=30) == (0, 0, 2)
    assert not rows(tmp_path) and not read_summaries(tmp_path)


def test_folders_that_are_no_index(tmp_path):
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(SinkError, match="no index"):
        RunWriter(tmp_path, "run").open()
    with pytest.raises(DataError, match="is no index"):
        check(tmp_path)
    (tmp_path / MANIFEST).write_text('{"version": 99}')
    with pytest.raises(DataError, match="version 99, wanted 1"):
        check(tmp_path)
