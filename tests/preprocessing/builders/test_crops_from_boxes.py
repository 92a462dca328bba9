"""Crops of a detector's boxes: its labels, splits and classes, and small pictures."""

import json

import cv2
import numpy as np
import pytest

from preprocessing.builders import crops_from_boxes
from preprocessing.datasets.samples_and_splits import read_samples
from preprocessing.datasets.yolo_layout import write_boxes, write_layout
from preprocessing.images.pictures import read_picture


def data_set(folder, names=("hat", "shoe"), labels=(1, 0)):
    """One image for each of train and val, with a box for each label."""
    for split in ("train", "val"):
        image = folder / "images" / split / "0.png"
        image.parent.mkdir(parents=True)
        cv2.imwrite(str(image), np.full((200, 300, 3), 90, np.uint8))
        boxes = np.array([[20, 20, 140, 180], [200, 40, 230, 60]])[: len(labels)]
        write_boxes(image, labels, boxes, width=300, height=200)
    return write_layout(folder / "data.yaml", names).path


@pytest.fixture
def data(tmp_path):
    return data_set(tmp_path / "data")


def test_every_box_is_a_picture_of_its_class(data, tmp_path):
    assert crops_from_boxes.main(["--data", str(data), "--out", str(tmp_path / "out")]) == 0
    samples = read_samples(tmp_path / "out")
    assert [(s.label, s.split) for s in samples] == [
        ("shoe", "training"), ("hat", "training"), ("shoe", "validation"), ("hat", "validation"),
    ]  # fmt: skip
    assert list(json.loads((tmp_path / "out/mapping.json").read_text())) == ["hat", "shoe"]
    large, small = (max(read_picture(sample.path).shape) for sample in samples[:2])
    assert large == 64 and 30 < small < 48  # not enlarged
    assert cv2.imread(str(tmp_path / "out/sheet.png")) is not None


def test_data_that_does_not_fit(data, tmp_path, capsys):
    other = data_set(tmp_path / "other", names=("hat", "bag"))
    out = ["--out", str(tmp_path / "out")]
    assert crops_from_boxes.main(["--data", str(data), str(other), *out]) == 8
    assert "has the classes hat, bag" in capsys.readouterr().err
    empty = data_set(tmp_path / "empty", labels=())
    assert crops_from_boxes.main(["--data", str(empty), *out]) == 8
    assert "no box in" in capsys.readouterr().err
