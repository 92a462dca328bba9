"""Rows as JSON lines and CSV: their values, and that each reaches the disk at once."""

import csv
import json

import make

from realtime.sinks.rows import COLUMNS, CsvSink, JsonlSink


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
