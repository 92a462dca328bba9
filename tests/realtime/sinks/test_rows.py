"""Rows and subtitles: what they say, and that each is whole when the run is cut short."""

import csv
import json
from fractions import Fraction

import numpy as np
import pytest

from preprocessing.errors import SinkError
from realtime.sinks.rows import COLUMNS, CsvSink, JsonlSink, SubtitleSink
from realtime.types import Frame, Garment, Label, Region


def frame(index):
    return Frame(np.zeros((48, 64, 3), np.uint8), index, index, Fraction(1, 10), 0.0)


def garment(name="Dress", *, track=1, colour="", **attributes):
    region = Region(np.float32((1, 2, 11, 22)), np.full((20, 10), 255, np.uint8))
    label = Label(name, 0.3 if name == "unknown" else 0.9)
    return Garment(region, track, label, colour=colour, attributes=attributes)


def test_rows_of_json(tmp_path):
    with JsonlSink(tmp_path / "rows.jsonl") as sink:
        sink.write(frame(12), [garment(colour="red", neck="v"), garment("unknown", track=2)])
        sink.write(frame(13), [])
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert rows[0] == {
        "frame": 12, "time": 1.2, "track": 1, "box": [1.0, 2.0, 11.0, 22.0],
        "label": "Dress", "probability": 0.9, "held": False, "colour": "red",
        "attributes": {"neck": "v"},
    }  # fmt: skip
    assert rows[1]["label"] == "unknown" and len(rows) == 2


def test_rows_of_csv(tmp_path):
    sink = CsvSink(tmp_path / "rows.csv")
    sink.write(frame(3), [garment('a "b", c', neck="v", sleeve="long")])
    with (tmp_path / "rows.csv").open(newline="") as file:  # not closed yet: written all the same
        (row,) = csv.DictReader(file)
    sink.__exit__()
    assert tuple(row) == COLUMNS
    assert row["label"] == 'a "b", c' and row["attributes"] == "neck=v|sleeve=long"
    assert [float(row[side]) for side in ("x1", "y1", "x2", "y2")] == [1, 2, 11, 22]


def write_labels(sink, *names):
    for index, name in enumerate(names):
        sink.write(frame(index), [garment(name, colour="red")] if name else [])


def test_subtitles_last_as_long_as_their_labels(tmp_path):
    with SubtitleSink(tmp_path / "a.srt") as sink:
        write_labels(sink, "", "Dress", "Dress", "unknown", "Bag", "Bag")
    assert (tmp_path / "a.srt").read_text() == (
        "1\n00:00:00,100 --> 00:00:00,300\nred Dress\n\n"
        "2\n00:00:00,400 --> 00:00:00,600\nred Bag\n\n"
    )


def test_subtitles_for_browsers_and_long_videos(tmp_path):
    with SubtitleSink(tmp_path / "a.vtt") as sink:
        sink.write(frame(36_610), [garment(), garment("Bag")])
        sink.write(frame(36_611), [])
    assert (tmp_path / "a.vtt").read_text() == (
        "WEBVTT\n\n1\n01:01:01.000 --> 01:01:01.100\nBag, Dress\n\n"
    )


def test_subtitles_of_nothing(tmp_path):
    with SubtitleSink(tmp_path / "a.srt") as sink:
        write_labels(sink, "", "unknown")
    assert (tmp_path / "a.srt").read_text() == ""


@pytest.mark.parametrize("kind", [JsonlSink, CsvSink, SubtitleSink])
def test_a_folder_that_is_not_there(tmp_path, kind):
    with pytest.raises(SinkError, match="cannot write"):
        kind(tmp_path / "none" / "a.srt")
