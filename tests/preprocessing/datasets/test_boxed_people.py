"""Boxed photos of people: what the eye named stands above the label, doubt leaves it."""

import csv

import cv2
import make
import numpy as np
import pytest
import yaml

from preprocessing.builders.garment_crops import boxed_garments
from preprocessing.builders.layer_boxes import boxed_photos
from preprocessing.datasets.boxed_people import NAMES, read_boxed
from preprocessing.datasets.yolo_layout import read_layout, write_boxes
from preprocessing.labels import BOX_LAYER, LAYERS, PHOTO_LAYER

REAL = make.ROOT.parent / "shared" / "data" / "worn" / "boxes"
LABELS = ("shirt", "jacket", "skirt", "sunglass")
with NAMES.open(newline="") as file:
    ROWS = list(csv.DictReader(file))


def box_of(row):
    return [int(row[side]) for side in ("x1", "y1", "x2", "y2")]


@pytest.fixture
def folder(tmp_path):
    """A photo with a named box, one a pixel beside it, a skirt, a small skirt, and glasses."""
    row = next(row for row in ROWS if row["name"] == "longsleeve")
    named = box_of(row)
    beside = [named[0] + 1, *named[1:]]
    image = tmp_path / "train" / "images" / row["file"]
    image.parent.mkdir(parents=True)
    cv2.imwrite(str(image), np.full((600, 400, 3), 120, np.uint8))
    boxes = np.array([named, beside, [0, 300, 100, 450], [110, 400, 130, 430], [5, 5, 60, 60]])
    write_boxes(image, [1, 1, 2, 2, 3], boxes, width=400, height=600)
    described = {"train": "train/images", "names": list(LABELS)}
    (tmp_path / "data.yaml").write_text(yaml.safe_dump(described))
    return tmp_path


def test_names_by_the_eye(folder):
    (photo,) = read_boxed(read_layout(folder / "data.yaml"))
    assert photo.labels == ("jacket", "jacket", "skirt", "skirt", "sunglass")
    assert photo.names == ("longsleeve", "", "", "", "")
    assert photo.image.shape == (600, 400, 3)
    (labelled,) = boxed_photos(folder)
    found = [LAYERS[label] for label in labelled.labels]
    assert found == ["top", "outer", "skirt", "skirt"]
    assert labelled.boxes[2] == pytest.approx([0, 300, 100, 450], abs=0.01)


def test_garments_whose_names_are_told_are_cut_out(folder, tmp_path):
    samples = list(boxed_garments(folder, tmp_path / "out"))
    assert [(s.label, s.group) for s in samples] == [("longsleeve", "boxed"), ("skirt", "boxed")]
    # The square ends at the photo's left border.
    assert cv2.imread(str(samples[1].path)).shape == (180, 140, 3)


def test_the_names_are_whole():
    assert len({(row["file"], *box_of(row)) for row in ROWS}) == len(ROWS)
    assert {row["name"] for row in ROWS} <= {*PHOTO_LAYER, "none"}
    for row in ROWS:
        x1, y1, x2, y2 = box_of(row)
        assert 0 <= x1 < x2 <= 400 and 0 <= y1 < y2 <= 600


@pytest.mark.skipif(not REAL.is_dir(), reason="no ../shared/data/worn here")
def test_every_name_meets_an_upper_garment_of_the_photos():
    named = [
        BOX_LAYER[label]
        for photo in read_boxed(read_layout(REAL / "data.yaml"))
        for label, name in zip(photo.labels, photo.names, strict=True)
        if name
    ]
    assert len(named) == len(ROWS)
    assert set(named) == {"top", "outer"}
