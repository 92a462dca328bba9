"""Geometry of boxes."""

import cv2
import numpy as np
import pytest

from preprocessing.images.regions import (
    NETWORK_INPUTS,
    Region,
    box_iou,
    greedy_matches,
    photo_input,
    square_crop,
    to_fashion_mnist,
    whole_image,
)


def test_box_iou():
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]], np.float32)
    assert box_iou(boxes[:1], boxes) == pytest.approx(np.array([[1, 1 / 3, 0]]), abs=1e-6)
    assert box_iou(boxes[:0], boxes).shape == (0, 3)


@pytest.mark.parametrize(
    ("overlap", "pairs"),
    [
        (np.zeros((0, 3)), []),
        ([[0.2]], []),
        ([[0.9, 0.8], [0.85, 0.1]], [(0, 0)]),  # the best first; what is left overlaps too little
        ([[0.6, 0.9], [0.7, 0.8]], [(0, 1), (1, 0)]),
        ([[0.5], [0.6]], [(1, 0)]),
    ],
)
def test_greedy_matches(overlap, pairs):
    overlap = np.array(overlap, np.float32)
    before = overlap.copy()
    assert greedy_matches(overlap, minimum=0.5) == pairs
    assert np.array_equal(overlap, before)


@pytest.mark.parametrize(("width", "height"), [(40, 120), (200, 50), (28, 28), (3, 300)])
def test_a_crop_is_cut_as_the_data_set_s_makers_did(width, height):
    image = np.full((400, 400, 3), 255, np.uint8)
    image[20 : 20 + height, 30 : 30 + width] = 55
    box = np.array([30, 20, 30 + width, 20 + height], np.float32)
    crop = to_fashion_mnist(image, Region(box, np.full((height, width), 255, np.uint8)))
    assert crop.shape == (28, 28) and crop.dtype == np.uint8
    assert crop.max() == 200  # negated: a dark garment is bright
    rows, columns = np.flatnonzero(crop.any(axis=1)), np.flatnonzero(crop.any(axis=0))
    assert max(len(rows), len(columns)) == 28
    short = max(1, round(28 * min(width, height) / max(width, height)))
    assert min(len(rows), len(columns)) == short
    for used in (rows, columns):
        assert abs(used[0] - (27 - used[-1])) <= 1


def test_a_crop_is_textured_and_black_outside_the_mask():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (100, 100, 3), dtype=np.uint8)
    mask = np.zeros((100, 100), np.uint8)
    cv2.circle(mask, (50, 50), 49, 255, cv2.FILLED)
    crop = to_fashion_mnist(image, Region(np.array([0, 0, 100, 100], np.float32), mask))
    assert crop[0, 0] == crop[-1, -1] == 0
    assert crop[10:18, 10:18].std() > 5


@pytest.mark.parametrize(
    ("box", "shape"),
    [
        ((40, 40, 60, 60), (24, 24, 3)),  # a tenth more on each side
        ((40, 40, 60, 50), (24, 24, 3)),
        ((0, 40, 20, 60), (24, 22, 3)),  # ends at the border
        ((0, 0, 100, 80), (80, 100, 3)),
    ],
)
def test_square_crops(box, shape):
    image = np.zeros((80, 100, 3), np.uint8)
    assert square_crop(image, Region.from_box(np.array(box, np.float32))).shape == shape


def test_a_whole_photo_is_resized():
    image = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    planes = photo_input(image, whole_image(image), 20)
    expected = cv2.resize(image, (20, 20), interpolation=cv2.INTER_AREA)
    assert (planes.transpose(1, 2, 0) == expected).all()


@pytest.mark.parametrize(("name", "channels"), [("fashion-mnist", 1), ("photo", 3)])
def test_inputs_have_planes(name, channels):
    image = np.zeros((40, 60, 3), np.uint8)
    region = Region.from_box(np.array([10, 10, 30, 20], np.float32))
    planes = NETWORK_INPUTS[name](image, region, 32)
    assert planes.shape == (channels, 32, 32) and planes.dtype == np.uint8
