"""Crops of single garments: worn ones beside lying ones, in the same classes and splits."""

from collections import Counter

import cv2
import numpy as np
import photos
import pytest
import yaml

from preprocessing.builders import garment_crops
from preprocessing.builders.garment_crops import boxed_crops
from preprocessing.datasets.samples_and_splits import read_csv
from preprocessing.datasets.yolo_layout import write_boxes

NAMES = {0: "null", 14: "dress", 39: "shoes", 51: "t-shirt"}
SIZE = (60, 100)  # width, height
SHIRT = (51, 10, 10, 40, 50)


@pytest.fixture
def parsed(tmp_path):
    """Eight photos of a T-shirt: six to train on, one for each other split."""
    masks = {f"p{number}": photos.painted(SIZE, SHIRT) for number in range(1, 9)}
    return photos.parsed_people(tmp_path / "parsed", masks, NAMES)


@pytest.fixture
def boxed(tmp_path):
    """A photo with two jackets, a skirt, a small skirt, and glasses."""
    image = tmp_path / "boxed" / "train" / "images" / "a.jpg"
    image.parent.mkdir(parents=True)
    cv2.imwrite(str(image), np.full((600, 400, 3), 120, np.uint8))
    boxes = np.array([[10, 20, 110, 140], [200, 20, 310, 140], [0, 300, 100, 450],
                      [110, 400, 130, 430], [5, 5, 60, 60]])  # fmt: skip
    write_boxes(image, [0, 0, 1, 1, 2], boxes, width=400, height=600)
    described = {"train": "train/images", "names": ["jacket", "skirt", "sunglass"]}
    (tmp_path / "boxed" / "data.yaml").write_text(yaml.safe_dump(described))
    return tmp_path / "boxed"


def label_file(folder):
    path = folder / "labels.csv"
    path.write_text("file,x1,y1,x2,y2,name\na.jpg,10,20,110,140,longsleeve\n")
    return path


def build(parsed, out, *flags):
    assert garment_crops.main(["--parsed", str(parsed), "--out", str(out), *flags]) == 0
    return read_csv(out / "index.csv")


def test_worn_garments_are_cropped_beside_flat_ones(parsed, tmp_path, capsys):
    (tmp_path / "flat.csv").write_text("path,label,sender\na.jpg,hoodie,7\nb.jpg,body,8\n")
    mask = photos.painted(SIZE, (14, 10, 10, 40, 60), (39, 5, 90, 15, 98))  # shoes: too small
    mask[10:60:4, 10:40] = 51  # too little of a T-shirt is visible
    cv2.imwrite(str(parsed / "masks" / "p2.png"), mask)
    cv2.imwrite(str(tmp_path / "empty.jpg"), np.full((40, 50, 3), 90, np.uint8))
    flags = ["--photos", str(tmp_path / "flat.csv"), "--group-column", "sender"]
    samples = build(parsed, tmp_path / "out", *flags, "--backgrounds", str(tmp_path))
    others = [s for s in samples if s.label == "other"]
    assert {s.group.split("-")[0] for s in others} == {"shoot", "drawn", "scenes"}
    street = cv2.imread(str(next(s.path for s in others if s.path.name == "0001-street.jpg")))
    assert street.shape[0] == street.shape[1] and np.abs(street.astype(int) - 120).max() < 8
    samples = [s for s in samples if s.label != "other"]
    assert [(s.label, s.group, s.split) for s in samples[:3]] == [
        ("longsleeve", "7", ""), ("t-shirt", "shoot-0", ""), ("dress", "shoot-0", ""),
    ]  # fmt: skip
    crop = cv2.imread(str(samples[1].path))
    assert crop.shape == (48, 48, 3)  # the garment's 40 pixels and a tenth more on each side
    assert "worn: dress 1, t-shirt 6" in capsys.readouterr().out  # none of the test photo


def test_people_are_split_in_blocks_if_the_flat_photos_are_split(parsed, boxed, tmp_path):
    rows = "path,label,group,split\na.jpg,pants,7,training\nb.jpg,hoodie,8,validation\n"
    (tmp_path / "flat.csv").write_text(rows)
    flags = ["--photos", str(tmp_path / "flat.csv"), "--boxed", str(boxed), "--composite-heads"]
    samples = build(parsed, tmp_path / "out", *flags)
    splits = {s.path.name: s.split for s in samples if "drawn" not in s.group}
    assert splits["0006-t-shirt.jpg"] == "training" and splits["0007-t-shirt.jpg"] == "validation"
    # The hoodie gets no head, since it is for validation.
    assert Counter(name.split("-")[-1] for name in splits) == {
        "shirt.jpg": 7, "street.jpg": 7, "skirt.jpg": 1, "a.jpg": 1, "b.jpg": 1,
    }  # fmt: skip


def test_the_former_flag_of_composites_is_still_read(parsed, tmp_path):
    (tmp_path / "flat.csv").write_text("path,label\na.jpg,pants\n")
    build(parsed, tmp_path / "out", "--photos", str(tmp_path / "flat.csv"), "--dressed")


def test_boxes_are_cropped_if_their_class_is_known(boxed, tmp_path):
    (sample,) = boxed_crops(boxed, None, tmp_path / "out")
    assert (sample.label, sample.group, sample.split) == ("skirt", "boxed", "training")
    # The square ends at the photo's left border.
    assert cv2.imread(str(sample.path)).shape == (180, 140, 3)
    samples = boxed_crops(boxed, label_file(tmp_path), tmp_path / "out")
    assert [sample.label for sample in samples] == ["longsleeve", "skirt"]


def test_a_label_file_without_boxes_is_refused(parsed, tmp_path, capsys):
    flags = ["--parsed", str(parsed), "--photos", "x.csv", "--boxed-labels", "y.csv"]
    assert garment_crops.main([*flags, "--out", str(tmp_path / "out")]) == 2
    assert "--boxed-labels needs" in capsys.readouterr().err
