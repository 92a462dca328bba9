"""Pictures as outputs: the last frame, snapshots of new garments, the best crop of each."""

import csv

import cv2
import make
import numpy as np
import pytest

from preprocessing.errors import SinkError
from realtime.sinks.pictures import CropSink, PictureSink, SnapshotSink, save_snapshot

LABELLED = np.full((48, 64, 3), 200, np.uint8)
IMAGE = np.full((120, 160, 3), 100, np.uint8)
DRAWN = np.full((120, 160, 3), 255, np.uint8)


def test_the_last_labelled_picture_is_written(tmp_path):
    sink = PictureSink(tmp_path / "out.png")
    make.write_all(sink, make.labelled(1), make.labelled(2, drawn=LABELLED))
    assert (cv2.imread(str(tmp_path / "out.png")) == 200).all()


def test_a_snapshot_for_each_newly_named_track(tmp_path):
    dress = make.garment()
    make.write_all(
        SnapshotSink(tmp_path / "shots"),
        make.labelled(1, make.garment("unknown", probability=0.2)),
        make.labelled(2, dress, drawn=LABELLED),
        make.labelled(3, dress),
        make.labelled(4, dress, make.garment(track=2)),
    )
    assert sorted(path.name for path in (tmp_path / "shots").iterdir()) == [
        "frame-000002.png", "frame-000004.png",
    ]  # fmt: skip
    assert (cv2.imread(str(tmp_path / "shots" / "frame-000002.png")) == 200).all()


def test_a_snapshot_replaces_no_other(tmp_path):
    (tmp_path / "frame-000002.png").write_text("mine")
    for level in (10, 20):
        save_snapshot(tmp_path, make.labelled(2, drawn=np.full((48, 64, 3), level, np.uint8)))
    assert (tmp_path / "frame-000002.png").read_text() == "mine"
    found = [cv2.imread(str(tmp_path / f"frame-000002-{number}.png")) for number in (2, 3)]
    assert [int(image.mean()) for image in found] == [10, 20]


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
