"""Rows, tables and subtitles: their values, and that each row reaches the disk at once."""

import csv
import json

import make
import pytest

from realtime.sinks.rows import COLUMNS, CsvSink, JsonlSink, ParquetSink, SubtitleSink


def test_rows_of_json(tmp_path):
    first = make.labelled(
        12, make.garment(colour="red", neck="v"), make.garment("unknown", track=2, probability=0.3)
    )
    make.write_all(JsonlSink(tmp_path / "rows.jsonl"), first, make.labelled(13))
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert rows[0] == {
        "frame": 12, "time": 1.2, "track": 1, "box": [1.0, 2.0, 11.0, 22.0],
        "label": "Dress", "probability": 0.9, "held": False, "colour": "red",
        "attributes": {"neck": "v"},
    }  # fmt: skip
    assert rows[1]["label"] == "unknown" and len(rows) == 2


def test_rows_of_csv(tmp_path):
    sink = CsvSink(tmp_path / "rows.csv")
    sink.open(make.info())
    sink.write(make.labelled(3, make.garment('a "b", c', neck="v", sleeve="long")))
    with (tmp_path / "rows.csv").open(newline="") as file:  # not closed yet: written all the same
        (row,) = csv.DictReader(file)
    sink.close(complete=True)
    assert tuple(row) == COLUMNS
    assert row["label"] == 'a "b", c' and row["attributes"] == "neck=v|sleeve=long"
    assert [float(row[side]) for side in ("x1", "y1", "x2", "y2")] == [1, 2, 11, 22]


def labels(*names):
    return [
        make.labelled(index, *([make.garment(name, colour="red")] if name else []))
        for index, name in enumerate(names)
    ]


def test_cues_last_as_long_as_their_labels(tmp_path):
    path = tmp_path / "a.srt"
    make.write_all(SubtitleSink(path), *labels("", "Dress", "Dress", "unknown", "Bag", "Bag"))
    assert path.read_text() == (
        "1\n00:00:00,100 --> 00:00:00,300\nred Dress\n\n"
        "2\n00:00:00,400 --> 00:00:00,600\nred Bag\n\n"
    )


def test_webvtt_of_long_videos(tmp_path):
    path = tmp_path / "a.vtt"
    both = make.labelled(36_610, make.garment(), make.garment("Bag"))
    make.write_all(SubtitleSink(path), both, make.labelled(36_611))
    assert path.read_text() == "WEBVTT\n\n1\n01:01:01.000 --> 01:01:01.100\nBag, Dress\n\n"


def test_no_labels_are_no_cues(tmp_path):
    make.write_all(SubtitleSink(tmp_path / "a.srt"), *labels("", "unknown"))
    assert (tmp_path / "a.srt").read_text() == ""


@pytest.fixture
def read_table():
    return pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed").read_table


def test_parts_become_the_file(tmp_path, monkeypatch, read_table):
    monkeypatch.setattr("realtime.sinks.rows.PART_SECONDS", 0.2)
    sink = ParquetSink(tmp_path / "rows.parquet")
    sink.open(make.info())
    coat = make.garment("Coat", track=2, colour="red", box=(10, 20, 40, 80))
    for index in range(4):
        sink.write(make.labelled(index, make.garment(), coat))
    parts = tmp_path / "rows.parquet.parts"
    assert read_table(parts).num_rows == 6  # as a killed run would leave them
    sink.close(complete=True)
    rows = read_table(tmp_path / "rows.parquet").to_pylist()
    assert len(rows) == 8 and not parts.exists()
    assert rows[-1] | {"probability": 0} == {
        "frame": 3, "time": 0.3, "track": 2, "x1": 10, "y1": 20, "x2": 40, "y2": 80,
        "label": "Coat", "probability": 0, "held": False, "colour": "red", "attributes": [],
    }  # fmt: skip


def test_no_garments_are_a_table_without_rows(tmp_path, read_table):
    make.write_all(ParquetSink(tmp_path / "rows.parquet"))
    assert read_table(tmp_path / "rows.parquet").num_rows == 0
