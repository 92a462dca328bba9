"""YOLO's layout: written, read and checked, and labels by eye if their file is given."""

import csv
from pathlib import Path

import cv2
import make
import numpy as np
import pytest
import yaml

from preprocessing.datasets import yolo_layout
from preprocessing.datasets.yolo_layout import (
    check_layout,
    label_path,
    read_box_names,
    read_boxed,
    read_boxes,
    read_layout,
    write_boxes,
    write_layout,
)
from preprocessing.errors import DataError
from preprocessing.labels import BOX_LAYER, PHOTO_LAYER

REAL = make.ROOT.parent / "shared" / "data" / "worn" / "boxes"
LABEL_FILE = Path(yolo_layout.__file__).with_name("boxed_people_names.csv")
HEADER = "file,x1,y1,x2,y2,name\n"


@pytest.fixture
def folder(tmp_path):
    """A data set of three classes with two images each to train on and to validate on."""
    for split in ("train", "val"):
        for number in range(2):
            image = tmp_path / "images" / split / f"{number}.png"
            image.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(image), np.full((40, 60, 3), 90, np.uint8))
            write_boxes(image, [number], np.array([[6, 4, 36, 24]]), width=60, height=40)
    write_layout(tmp_path / "data.yaml", ["a", "b", "c"])
    return tmp_path


def test_what_is_written_is_read_again(folder):
    layout = read_layout(folder / "data.yaml")
    assert layout.names == ("a", "b", "c") and list(layout.folders) == ["train", "val"]
    check_layout(layout, ("train", "val"))
    found = read_boxes(layout.images("train")[1], classes=3)
    assert found.labels.tolist() == [1]
    assert found.boxes.tolist() == [pytest.approx([0.1, 0.1, 0.6, 0.6])]
    with pytest.raises(DataError, match="has no test"):
        layout.images("test")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("data/images/train/a.jpg", "data/labels/train/a.txt"),
        ("images/images/a.jpg", "images/labels/a.txt"),
        ("photos/a.jpg", "photos/a.txt"),
    ],
)
def test_the_label_file_of_an_image(path, expected):
    assert label_path(Path(path)) == Path(expected)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("0 0.5 0.5 0.2\n", "wanted id, x, y, width, height"),
        ("0 0.5 0.5 0.2 many\n", "wanted id"),
        ("9 0.5 0.5 0.2 0.2\n", "class 9 is not within 0 to 2"),
        ("0 0.95 0.5 0.2 0.2\n", "outside the image"),
        ("0 0.5 0.5 -0.2 0.2\n", "outside the image or empty"),
        ("0 0.5 nan 0.2 0.2\n", "wanted id"),
    ],
)
def test_broken_labels_are_named(folder, rows, said):
    layout = read_layout(folder / "data.yaml")
    image = layout.images("train")[1]
    label_path(image).write_text(rows)
    with pytest.raises(DataError, match=said):
        check_layout(layout, ("train",))


def test_missing_labels_and_empty_yaml_are_named(folder):
    layout = read_layout(folder / "data.yaml")
    image = layout.images("train")[0]
    label_path(image).unlink()
    with pytest.raises(DataError, match="no label file"):
        read_boxes(image, classes=3)
    (folder / "data.yaml").write_text("")
    with pytest.raises(DataError, match="empty"):
        read_layout(folder / "data.yaml")


def test_a_split_may_have_several_folders(folder):
    both = folder / "both.yaml"
    both.write_text("train: [images/train, images/val]\nnames: [a, b, c]")
    layout = read_layout(both)
    check_layout(layout, ("train",))
    assert [path.parts[-2] for path in layout.images("train")] == ["train"] * 2 + ["val"] * 2
    both.write_text(both.read_text().replace("images/val", "images/none"))
    with pytest.raises(DataError, match=r"no images in .*images/none"):
        read_layout(both).images("train")


@pytest.fixture
def layout(tmp_path):
    """A photo with two jackets, one of them a pixel beside the other."""
    image = tmp_path / "train" / "images" / "a.jpg"
    image.parent.mkdir(parents=True)
    cv2.imwrite(str(image), np.full((600, 400, 3), 120, np.uint8))
    boxes = np.array([[10.4, 20, 110, 140], [12, 20, 110, 140]])
    write_boxes(image, [1, 1], boxes, width=400, height=600)
    described = {"train": "train/images", "names": ["shirt", "jacket"]}
    (tmp_path / "data.yaml").write_text(yaml.safe_dump(described))
    return read_layout(tmp_path / "data.yaml")


def test_without_a_label_file_boxes_have_the_labels_of_the_data_set(layout):
    (photo,) = read_boxed(layout)
    assert photo.labels == ("jacket", "jacket") and photo.names == ("", "")
    assert photo.image.shape == (600, 400, 3)
    assert photo.boxes[0] == pytest.approx([10.4, 20, 110, 140], abs=0.01)


def test_a_label_file_names_the_boxes_that_it_lists(layout, tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_text(f"{HEADER}a.jpg,10,20,110,140,longsleeve\nb.jpg,12,20,110,140,shirt\n")
    (photo,) = read_boxed(layout, labels)
    assert photo.labels == ("jacket", "jacket") and photo.names == ("longsleeve", "")


def test_a_label_file_of_other_photos_is_refused(layout, tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_text(f"{HEADER}b.jpg,10,20,110,140,longsleeve\n")
    with pytest.raises(DataError, match="wanted its own label file"):
        list(read_boxed(layout, labels))


@pytest.mark.parametrize(
    "text", ["file,name\na.jpg,dress\n", f"{HEADER}a.jpg,1,2,3,x,dress\n", f"{HEADER}a.jpg,1\n"]
)
def test_broken_label_files_are_named(tmp_path, text):
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises(DataError, match="wanted file,x1,y1,x2,y2,name"):
        read_box_names(path)
    with pytest.raises(DataError, match=r"none\.csv"):
        read_box_names(tmp_path / "none.csv")


def test_the_label_file_of_the_package_is_whole():
    names = read_box_names(LABEL_FILE)
    with LABEL_FILE.open(newline="") as file:
        assert len(names) == len(list(csv.DictReader(file)))  # no box is listed twice
    assert set(names.values()) <= {*PHOTO_LAYER, "none"}
    for _, x1, y1, x2, y2 in names:
        assert 0 <= x1 < x2 <= 400 and 0 <= y1 < y2 <= 600


@pytest.mark.skipif(not REAL.is_dir(), reason="no ../shared/data/worn here")
def test_every_row_of_it_is_an_upper_garment_of_the_photos():
    layers = [
        BOX_LAYER[label]
        for photo in read_boxed(read_layout(REAL / "data.yaml"), LABEL_FILE)
        for label, name in zip(photo.labels, photo.names, strict=True)
        if name
    ]
    assert len(layers) == len(read_box_names(LABEL_FILE))
    assert set(layers) == {"top", "outer"}
