"""The index as an output: one row a garment and stay."""

import make
import numpy as np
import pyarrow.parquet as pq
import pytest

from realtime.sinks import index
from realtime.sinks.index import IndexSink, camera_of, created

PATH = (("garment", 0.9), ("dress", 0.8))
RED = np.full((48, 64, 3), (20, 20, 200), np.uint8)


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    monkeypatch.setattr(IndexSink, "_describe", lambda *_: None)


def table(folder):
    paths = sorted(folder.glob("*/*/*/*.parquet")) + sorted(folder.glob("live/*/*.parquet"))
    return [row for path in paths for row in pq.read_table(path.open("rb")).to_pylist()]


def frames(*indices, **values):
    dress = make.garment("dress", path=PATH, probability=0.8, person=3, **values)
    return [make.labelled(number, dress, image=RED) for number in indices]


def test_a_stay_is_a_row(tmp_path):
    make.write_all(IndexSink(tmp_path, place="hall"), *frames(0, 1, 2), source=make.info("a/b.mp4"))
    (row,) = table(tmp_path)
    assert (row["first"], row["last"], row["frames"], row["open"]) == (0.0, 0.2, 3, False)
    assert (row["person"], row["camera"], row["place"]) == (3, "b", "hall")
    assert row["source"] == "a/b.mp4"
    assert (row["name"], row["leaf"], row["colour"]) == ("dress", "dress", "red")
    assert row["leaf_p"] == pytest.approx(0.8) and row["crop"].startswith(b"\xff\xd8")
    assert row["box"] == [1, 2, 11, 22] and row["first_wall"] is None


def test_a_garment_that_comes_back_later_is_another_stay(tmp_path):
    make.write_all(IndexSink(tmp_path), *frames(0, 1, 40, 41))
    found = sorted((row["first"], row["last"]) for row in table(tmp_path))
    assert found == [(0.0, 0.1), (4.0, 4.1)]


def test_rows_are_there_before_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(index, "PART_SECONDS", 0.0)
    sink = IndexSink(tmp_path)
    sink.open(make.info())
    for labelled in frames(0, 1):
        sink.write(labelled)
    found = table(tmp_path)
    assert [(row["version"], row["open"], row["last"]) for row in found] == [
        (1, True, 0.0), (2, True, 0.1),
    ]  # fmt: skip
    assert found[0]["crop"] and found[1]["crop"] is None  # it was no better
    sink.close(complete=False)


def test_names_of_cameras_and_times_of_recordings():
    assert camera_of(make.info("/x/y/hall.mp4")) == "hall"
    assert camera_of(make.info("rtsp://user:secret@10.0.0.2/door")) == "10.0.0.2-door"
    tags = {"creation_time": "2026-05-03T12:00:00+02:00"}
    assert created(make.info(tags=tags)).isoformat() == "2026-05-03T10:00:00"
    assert created(make.info(tags={"creation_time": "May"})) is None
