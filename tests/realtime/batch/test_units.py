"""Units of an archive: how the rows of a video's units become one table."""

import json

import make
import pytest

from realtime.batch.units import ROWS, STATS, Unit, join
from realtime.sources.segments import Segment


@pytest.fixture
def parquet():
    return pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")


def test_numbers_of_tracks_and_people_differ_from_unit_to_unit(tmp_path, parquet):
    from realtime.sinks.rows import ParquetSink

    units = [Unit(Segment("in.mp4", n, n + 1, 0), tmp_path / str(n), n) for n in range(2)]
    for unit in units:
        unit.folder.mkdir()
        worn, lying = make.garment(person=3), make.garment("bag", track=2)
        make.write_all(ParquetSink(unit.folder / ROWS), make.labelled(unit.number, worn, lying))
        (unit.folder / STATS).write_text(json.dumps({"frames": {"written": 1}}))
    (tmp_path / "all.new").write_text("mine")
    assert join(units, tmp_path / "all.1", "in.mp4") == 2  # a name with a dot keeps its end
    assert (tmp_path / "all.new").read_text() == "mine"
    rows = parquet.read_table(tmp_path / "all.1.parquet").to_pylist()
    assert [(row["frame"], row["track"], row["person"]) for row in rows] == [
        (0, 1, 3), (0, 2, None), (1, 1_000_001, 1_000_003), (1, 1_000_002, None),
    ]  # fmt: skip
