"""Geometry of boxes."""

import numpy as np
import pytest

from preprocessing.images.regions import box_iou, greedy_matches


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
