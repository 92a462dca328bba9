"""Garments in masks: boxes by layer, regions by class."""

import numpy as np
import photos
import pytest

from preprocessing.datasets.mask_regions import class_regions, mask_boxes
from preprocessing.errors import DataError
from preprocessing.labels import LAYERS

NAMES = {0: "null", 10: "cape", 14: "dress", 39: "shoes", 46: "suit", 51: "t-shirt", 53: "tights"}
SIZE = (60, 100)  # width, height


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
