"""Letterboxes and decoding of detectors: as ultralytics does, and box voting."""

import numpy as np
import pytest

from training.inference.detector import Letterbox, decode


@pytest.mark.parametrize("square", [True, False])
@pytest.mark.parametrize("size", [(640, 480), (480, 640), (320, 320), (333, 517), (1920, 1080)])
def test_the_letterbox_is_that_of_ultralytics(size, square):
    pytest.importorskip("training.detection.yolo", reason="ultralytics is not installed")
    from ultralytics.data.augment import LetterBox

    image = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    ours = Letterbox.fit(*size, 320, square=square)
    assert np.array_equal(ours(image), LetterBox(320, auto=not square, stride=32)(image=image))


@pytest.mark.parametrize("size", [(640, 480), (37, 500), (320, 320)])
def test_the_letterbox_is_undone(size):
    box = Letterbox.fit(*size, 320)
    corners = np.array([[0, 0, *size], [size[0] / 4, size[1] / 4, size[0] / 2, size[1] / 2]])
    there = corners * box.scale + [box.left, box.top] * 2
    assert box.undo(there.astype(np.float32)) == pytest.approx(corners, abs=1e-3)
    outside = np.array([[-50, -50, 9999, 9999]], np.float32)
    assert box.undo(outside) == pytest.approx(np.array([[0, 0, *size]]))


def raw(*rows, anchors=6):
    """A raw output (4 + 2, anchors) with some rows of centre x, y, width, height, two scores."""
    output = np.zeros((6, anchors), np.float32)
    for index, row in enumerate(rows):
        output[:, index] = row
    return output


def test_of_a_class_the_strongest_overlapping_box_is_kept():
    found = decode(
        raw((10, 10, 8, 8, 0.2, 0.6), (10, 10, 8, 9, 0.1, 0.9), (10, 10, 8, 8, 0.8, 0.1),
            (40, 40, 8, 8, 0.05, 0.1)),
        confidence=0.3,
    )  # fmt: skip
    assert found.labels.tolist() == [1, 0]
    assert found.confidences == pytest.approx([0.9, 0.8])
    assert found.boxes[0] == pytest.approx([6, 5.5, 14, 14.5])


def test_multi_label_gives_a_box_for_each_class():
    output = raw((10, 10, 8, 8, 0.4, 0.6), (10, 10, 8, 8, 0.5, 0.1), (40, 40, 8, 8, 0.2, 0.35))
    found = decode(output, confidence=0.3, multi_label=True)
    assert found.labels.tolist() == [1, 0, 1]
    assert found.scores == pytest.approx(np.array([[0, 0.6], [0.5, 0], [0, 0.35]]))


@pytest.mark.parametrize("multi_label", [False, True])
def test_nothing_found_is_empty(multi_label):
    found = decode(raw(), confidence=0.3, multi_label=multi_label)
    assert found.boxes.shape == (0, 4) and found.scores.shape == (0, 2)
    assert found.labels.shape == found.confidences.shape == (0,)


def test_one_box_for_each_object_whatever_its_classes():
    output = raw((10, 10, 8, 8, 0.4, 0.6), (10, 10, 8, 8, 0.5, 0.1), (40, 40, 8, 8, 0.2, 0.35))
    found = decode(output, confidence=0.3, class_agnostic=True)
    assert found.labels.tolist() == [1, 1]
    assert found.scores == pytest.approx(np.array([[0.4, 0.6], [0.2, 0.35]]))


def test_overlapping_boxes_vote_on_the_place():
    output = raw((10, 10, 8, 8, 0.4, 0.6), (11, 10, 8, 8, 0.3, 0.1))
    found = decode(output, confidence=0.2, class_agnostic=True)
    centre, agreement = (0.6 * 10 + 0.3 * 11) / 0.9, (2 / 3) * 23 / 25 + (1 / 3) * 22 / 26
    assert found.scores == pytest.approx(np.array([[0.4, 0.6]]) * agreement)
    assert found.boxes == pytest.approx(np.array([[centre - 4, 6, centre + 4, 14]]))


@pytest.mark.parametrize("class_agnostic", [False, True])
@pytest.mark.parametrize("size", [(0, 8), (8, 0), (0, 0), (-2, -2)])
def test_a_box_without_an_area_is_no_object(size, class_agnostic):
    whole, empty = (40, 40, 8, 8, 0.2, 0.9), (10, 10, *size, 0.9, 0.3)
    found = decode(raw(empty, whole), confidence=0.25, class_agnostic=class_agnostic)
    assert found.boxes.tolist() == [[36, 36, 44, 44]] and np.isfinite(found.scores).all()
    alone = decode(raw(empty), confidence=0.25, class_agnostic=class_agnostic)
    assert alone.boxes.shape == (0, 4) and alone.scores.shape == (0, 2)
