"""The best crop of every track: larger, surer and whole ones replace it."""

import csv

import cv2
import make
import numpy as np
import pytest

from preprocessing.errors import SinkError
from realtime.sinks.best_crops import CropSink

IMAGE = np.full((120, 160, 3), 100, np.uint8)
DRAWN = np.full((120, 160, 3), 255, np.uint8)


def frames(*moments):
    return [
        make.labelled(index, *garments, image=IMAGE, drawn=DRAWN)
        for index, garments in enumerate(moments)
    ]


def dress(**changes):
    return make.garment(**{"box": (10, 20, 40, 80), **changes})


def rows(folder):
    with (folder / "crops.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_best_crop_of_a_track_stays(tmp_path):
    folder = tmp_path / "crops"
    sink = CropSink(folder)
    sink.open(make.info())
    large = make.garment("Coat", box=(10, 10, 100, 110))
    unknown = make.garment("unknown", track=2)
    for frame in frames([dress()], [large], [dress(probability=1.0)], [unknown]):
        sink.write(frame)
    found = rows(folder)  # not closed yet: written all the same
    sink.close(complete=True)
    assert [(row["track"], row["label"], row["frame"]) for row in found] == [
        ("1", "Dress", "0"), ("1", "Coat", "1")
    ]  # fmt: skip
    image = cv2.imread(str(folder / found[-1]["file"]))
    assert image.shape == (100, 90, 3) and abs(int(image.mean()) - 100) < 3  # nothing drawn on it
    assert len(list(folder.glob("*.jpg"))) == 1


def test_a_garment_that_is_cut_off_is_worse(tmp_path):
    moments = [dress(box=(10, 20, 50, 90))], [dress(box=(0, 20, 48, 100))]
    make.write_all(CropSink(tmp_path), *frames(*moments))
    assert [row["frame"] for row in rows(tmp_path)] == ["0"]


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="--crops DIR"):
        CropSink(tmp_path / "file" / "crops").open(make.info())
