"""Photos with masks: the split by blocks of names, masks, their labels and garments."""

import cv2
import numpy as np
import photos
import pytest

from preprocessing.datasets.parsed_people import (
    class_regions,
    mask_boxes,
    read_mask_labels,
    read_parsed_people,
)
from preprocessing.errors import DataError
from preprocessing.labels import LAYERS

NAMES = {0: "null", 10: "cape", 14: "dress", 39: "shoes", 46: "suit", 51: "t-shirt", 53: "tights"}
SIZE = (60, 100)  # width, height


def write_photos(folder, names):
    for part in ("photos", "masks"):
        (folder / part).mkdir()
    for value, name in enumerate(names):
        cv2.imwrite(str(folder / "photos" / f"{name}.jpg"), np.zeros((8, 6, 3), np.uint8))
        cv2.imwrite(str(folder / "masks" / f"{name}.png"), np.full((8, 6), value, np.uint8))


@pytest.mark.parametrize(
    ("count", "training", "validation"), [(800, 630, 70), (80, 63, 7), (16, 13, 1), (1, 1, 0)]
)
def test_the_split_is_by_blocks_in_the_order_of_names(tmp_path, count, training, validation):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(count, 0, -1):
        (folder / f"street-{number:04d}.jpg").touch()
    photos = read_parsed_people(tmp_path)
    assert [photo.number for photo in photos] == list(range(1, count + 1))
    assert [photo.split for photo in photos] == [
        *["training"] * training,
        *["validation"] * validation,
        *["test"] * (count - training - validation),
    ]


def test_masks_are_read_with_their_photos(tmp_path):
    write_photos(tmp_path, ["a", "b"])
    masks = [photo.mask() for photo in read_parsed_people(tmp_path)]
    assert [mask.shape for mask in masks] == [(8, 6)] * 2 and masks[1].min() == 1
    (tmp_path / "masks" / "a.png").unlink()
    with pytest.raises(DataError, match=r"a\.jpg has no mask"):
        read_parsed_people(tmp_path)[0].mask()


def test_a_folder_without_photos_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"wanted photos/NAME\.jpg"):
        read_parsed_people(tmp_path)


def test_labels_of_masks(tmp_path):
    (tmp_path / "labels.csv").write_text("id,name,photos\n0,null,3\n41,skin,2\n")
    assert read_mask_labels(tmp_path) == {0: "null", 41: "skin"}
    (tmp_path / "labels.csv").write_text("number,name\n0,null\n")
    with pytest.raises(DataError, match=r"labels\.csv"):
        read_mask_labels(tmp_path)


@pytest.mark.parametrize(
    ("patches", "expected"),
    [
        ([], {}),
        ([(51, 10, 10, 40, 50)], {"top": [10, 10, 40, 50]}),
        ([(39, 5, 90, 15, 98), (39, 40, 88, 50, 96)], {"shoes": [5, 88, 50, 98]}),
        ([(51, 10, 10, 40, 50), (51, 58, 98, 60, 100)], {"top": [10, 10, 40, 50]}),  # a speck
        ([(53, 10, 60, 40, 80)], {}),
        ([(10, 0, 10, 60, 60), (14, 20, 20, 40, 90)],
         {"outer": [0, 10, 60, 60], "dress": [20, 20, 40, 90]}),
        ([(14, 1, 1, 3, 3)], {}),  # too small to see
    ],
)  # fmt: skip
def test_boxes_of_a_mask(patches, expected):
    labels, boxes = mask_boxes(photos.painted(SIZE, *patches), NAMES)
    found = {LAYERS[label]: box.tolist() for label, box in zip(labels, boxes, strict=True)}
    assert found == expected
    assert boxes.shape == (len(expected), 4) and boxes.dtype == np.float32


def test_an_ambiguous_label_is_an_error():
    with pytest.raises(DataError, match="has a suit"):
        mask_boxes(photos.painted(SIZE, (46, 0, 0, 30, 30)), NAMES)


def test_regions_of_classes():
    mask = photos.painted(SIZE, (51, 10, 10, 40, 50), (10, 0, 60, 20, 80), (39, 5, 90, 15, 98))
    found = [(name, label, r.box.tolist()) for name, label, r in class_regions(mask, NAMES)]
    # A cape has a layer, but no class.
    assert found == [
        ("shoes", "shoes", [5, 90, 15, 98]), ("t-shirt", "t-shirt", [10, 10, 40, 50]),
    ]  # fmt: skip
