"""Crops, the report and Parquet: what they keep of a run, also of one that is cut short."""

import csv
import sys
from fractions import Fraction

import cv2
import numpy as np
import pytest

from preprocessing.errors import SinkError, UsageError
from realtime.sinks import parquet, report
from realtime.sinks.best_crops import CropSink
from realtime.sinks.parquet import ParquetSink
from realtime.sinks.report import ReportSink, clock
from realtime.types import UNKNOWN, Frame, Garment, Label, Region


def frame(index, level=100):
    image = np.full((120, 160, 3), level, np.uint8)
    return Frame(image, index, index, Fraction(1, 10), 0.0)


def garment(name="Dress", *, track=1, sure=0.9, box=(10, 20, 40, 80), colour="red"):
    x1, y1, x2, y2 = box
    region = Region(np.float32(box), np.full((y2 - y1, x2 - x1), 255, np.uint8))
    return Garment(region, track, Label(name, sure), colour=colour)


def pass_through(sink, *moments):
    """Frames with their garments, as the pipeline hands them over: seen, drawn on, written."""
    for index, garments in enumerate(moments):
        one = frame(index)
        if hasattr(sink, "see"):
            sink.see(one, garments)
        one.image[:] = 255
        sink.write(one, garments)


def crop_rows(folder):
    with (folder / "crops.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_best_crop_of_a_track_stays(tmp_path):
    sink = CropSink(tmp_path / "crops")
    large = garment("Coat", box=(10, 10, 100, 110))
    pass_through(sink, [garment()], [large], [garment(sure=1.0)], [garment(UNKNOWN, track=2)])
    rows = crop_rows(tmp_path / "crops")  # not closed yet: written all the same
    sink.__exit__()
    assert [(row["track"], row["label"], row["frame"]) for row in rows] == [
        ("1", "Dress", "0"), ("1", "Coat", "1")
    ]  # fmt: skip
    image = cv2.imread(str(tmp_path / "crops" / rows[-1]["file"]))
    assert image.shape == (100, 90, 3) and abs(int(image.mean()) - 100) < 3  # nothing drawn on it
    assert len(list((tmp_path / "crops").glob("*.jpg"))) == 1


def test_a_garment_that_is_cut_off_is_worth_less(tmp_path):
    with CropSink(tmp_path) as sink:
        pass_through(sink, [garment(box=(10, 20, 50, 90))], [garment(box=(0, 20, 48, 100))])
    assert [row["frame"] for row in crop_rows(tmp_path)] == ["0"]


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="--crops DIR"):
        CropSink(tmp_path / "file" / "crops")


def test_the_report_tells_what_was_seen_when(tmp_path):
    path = tmp_path / "report.html"
    with ReportSink(path, source="<a> & b.mp4") as sink:
        coat = garment("Coat", track=2, colour="blue")
        pass_through(sink, [garment()], [garment(), coat], [coat], [garment(), coat])
    text = path.read_text()
    assert "&lt;a&gt; &amp; b.mp4" in text and "<a>" not in text
    assert "4 frames" in text and "2 garments" in text
    assert text.count("data:image/jpeg;base64,") == 2
    assert text.count("<rect") == 3  # the dress was away for a frame
    assert "red Dress" in text and "blue Coat" in text
    assert list(tmp_path.iterdir()) == [path]


def test_a_killed_run_leaves_its_last_report(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "EVERY", 0.0)
    sink = ReportSink(tmp_path / "report.html", source="in.mp4")
    pass_through(sink, [garment()], [garment()])
    assert "red Dress" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00.0"), (3.44, "0:03.4"), (59.6, "1:00"), (754, "12:34"), (3723, "1:02:03")],
)
def test_clock(seconds, text):
    assert clock(seconds) == text


def test_rows_of_parquet(tmp_path, monkeypatch):
    from pyarrow.parquet import read_table

    monkeypatch.setattr(parquet, "SECONDS", 0.2)
    sink = ParquetSink(tmp_path / "rows.parquet")
    pass_through(sink, *[[garment(), garment("Coat", track=2)]] * 4)
    parts = tmp_path / "rows.parquet.parts"
    assert read_table(parts).num_rows == 6  # what a killed run would leave
    sink.__exit__()
    rows = read_table(tmp_path / "rows.parquet").to_pylist()
    assert len(rows) == 8 and not parts.exists()
    assert rows[-1] | {"probability": 0} == {
        "frame": 3, "time": 0.3, "track": 2, "x1": 10, "y1": 20, "x2": 40, "y2": 80,
        "label": "Coat", "probability": 0, "held": False, "colour": "red", "attributes": [],
    }  # fmt: skip


def test_parquet_without_garments_is_a_table_all_the_same(tmp_path):
    from pyarrow.parquet import read_table

    with ParquetSink(tmp_path / "rows.parquet"):
        pass
    assert read_table(tmp_path / "rows.parquet").num_rows == 0


def test_parquet_without_its_library(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match="pip install pyarrow"):
        ParquetSink(tmp_path / "rows.parquet")
