"""Rows and tables: their values, and that each row reaches the disk at once."""

import csv
import json

import make
import pytest

from realtime.sinks.rows import COLUMNS, CsvSink, JsonlSink, ParquetSink

PATH = (("garment", 0.99), ("upper body", 0.98), ("top", 0.9), ("t-shirt", 0.41234))


def test_rows_of_json(tmp_path):
    worn = make.garment("top", colour="red", path=PATH, person=4, neck="v")
    first = make.labelled(12, worn, make.garment("unknown", track=2, probability=0.3))
    make.write_all(JsonlSink(tmp_path / "rows.jsonl"), first, make.labelled(13))
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert rows[0] == {
        "frame": 12, "time": 1.2, "track": 1, "person": 4, "box": [1.0, 2.0, 11.0, 22.0],
        "label": "top", "probability": 0.9,
        "path": [["garment", 0.99], ["upper body", 0.98], ["top", 0.9], ["t-shirt", 0.4123]],
        "held": False, "colour": "red", "attributes": {"neck": "v"}, "zones": [],
    }  # fmt: skip
    assert rows[1]["label"] == "unknown" and rows[1]["path"] == [] and rows[1]["person"] is None
    assert len(rows) == 2


def test_rows_of_csv(tmp_path):
    sink = CsvSink(tmp_path / "rows.csv")
    sink.open(make.info())
    sink.write(make.labelled(3, make.garment('a "b", c', neck="v", sleeve="long")))
    sink.write(make.labelled(4, make.garment(path=PATH, person=4)))
    with (tmp_path / "rows.csv").open(newline="") as file:  # not closed yet: written all the same
        row, worn = csv.DictReader(file)
    sink.close(complete=True)
    assert tuple(row) == COLUMNS and row["person"] == row["path"] == ""
    assert worn["path"] == "garment 0.99 > upper body 0.98 > top 0.90 > t-shirt 0.41"
    assert worn["person"] == "4"
    assert row["label"] == 'a "b", c' and row["attributes"] == "neck=v|sleeve=long"
    assert [float(row[side]) for side in ("x1", "y1", "x2", "y2")] == [1, 2, 11, 22]


@pytest.mark.parametrize("name", ["=cmd()", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_names_are_no_formulas(tmp_path, name):
    make.write_all(CsvSink(tmp_path / "rows.csv"), make.labelled(0, make.garment(name, neck="v")))
    with (tmp_path / "rows.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["label"] == f"'{name}" and row["attributes"] == "neck=v" and row["frame"] == "0"


@pytest.fixture
def read_table():
    return pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed").read_table


def test_parts_become_the_file(tmp_path, monkeypatch, read_table):
    monkeypatch.setattr("realtime.sinks.rows.PART_SECONDS", 0.2)
    sink = ParquetSink(tmp_path / "rows.parquet")
    sink.open(make.info())
    coat = make.garment("Coat", track=2, colour="red", box=(10, 20, 40, 80), person=3)
    for index in range(4):
        sink.write(make.labelled(index, make.garment(), coat))
    parts = tmp_path / "rows.parquet.parts"
    assert read_table(parts).num_rows == 6  # as a killed run would leave them
    sink.close(complete=True)
    rows = read_table(tmp_path / "rows.parquet").to_pylist()
    assert len(rows) == 8 and not parts.exists()
    assert rows[-1] | {"probability": 0} == {
        "frame": 3, "time": 0.3, "track": 2, "person": 3, "x1": 10, "y1": 20, "x2": 40, "y2": 80,
        "label": "Coat", "probability": 0, "path": "", "held": False, "colour": "red",
        "attributes": [], "zones": "",
    }  # fmt: skip
    assert rows[0]["person"] is None


def test_no_garments_are_a_table_without_rows(tmp_path, read_table):
    make.write_all(ParquetSink(tmp_path / "rows.parquet"))
    assert read_table(tmp_path / "rows.parquet").num_rows == 0
