"""Rows as Parquet: finished parts that a killed run leaves, joined at the end."""

import make
import pytest

from realtime.sinks import parquet
from realtime.sinks.parquet import ParquetSink

read_table = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed").read_table


def test_parts_become_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "PART_SECONDS", 0.2)
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


def test_no_garments_are_a_table_without_rows(tmp_path):
    make.write_all(ParquetSink(tmp_path / "rows.parquet"))
    assert read_table(tmp_path / "rows.parquet").num_rows == 0
