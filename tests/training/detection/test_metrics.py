"""Average precision, thresholds and false boxes of known predictions."""

from pathlib import Path

import numpy as np
import pytest

from preprocessing.datasets.yolo_layout import Boxes
from training.detection.metrics import ImagePrediction, best_threshold, score_detections
from training.inference.detector import Detections

BOX, SHIFTED = [10, 10, 50, 50], [10, 10, 50, 42]  # IoU 0.8


def predicted(truth, detected, *, labels=None, scores=None, classes=2):
    """An image with true boxes of class 0, and detected boxes of `labels` with `scores`."""
    truth, detected = (np.array(b, np.float32).reshape(-1, 4) for b in (truth, detected))
    rows = np.zeros((len(detected), classes), np.float32)
    rows[range(len(detected)), labels or 0] = scores or 0.9
    boxes = Boxes(np.zeros(len(truth), np.int64), truth)
    peak = rows.max(initial=0)
    return ImagePrediction(Path("x.png"), 100, 100, boxes, Detections(detected, rows), peak)


@pytest.mark.parametrize(
    ("predictions", "map50", "map50_95"),
    [
        ([predicted([BOX], [BOX])], 1.0, 1.0),
        ([predicted([BOX], [SHIFTED])], 1.0, 0.6),  # right at 0.5 to 0.75, and at 0.8 just not
        ([predicted([BOX], [])], 0.0, 0.0),
        ([predicted([BOX], [BOX], labels=[1])], 0.0, 0.0),
        ([predicted([BOX], [BOX]), predicted([], [BOX], scores=[0.5])], 1.0, 1.0),
        ([predicted([BOX], [BOX], scores=[0.5]), predicted([], [BOX])], 0.5, 0.5),
    ],
)
def test_average_precision_of_known_cases(predictions, map50, map50_95):
    scores = score_detections(predictions, classes=2, threshold=0.25)
    assert scores.map50 == pytest.approx(map50, abs=0.01)
    assert scores.map50_95 == pytest.approx(map50_95, abs=0.11)
    assert np.isnan(scores.per_class[1]).all()


def test_false_boxes_are_counted_at_the_threshold():
    predictions = [
        predicted([], [BOX], scores=[0.6]),
        predicted([], [BOX], scores=[0.2]),
        predicted([], []),
        predicted([BOX], [BOX]),
    ]
    scores = score_detections(predictions, classes=2, threshold=0.5)
    assert scores.empty == 3 and scores.false_frames == pytest.approx(1 / 3)


def test_the_threshold_with_the_best_f1():
    predictions = [
        predicted([BOX], [BOX], scores=[0.7]),
        predicted([BOX], [BOX], scores=[0.4]),
        predicted([], [BOX], scores=[0.3]),
    ]
    assert best_threshold(predictions) == pytest.approx((0.4, 1.0))
    predictions.append(predicted([], [BOX], scores=[0.5]))  # an empty image must not show a box
    assert best_threshold(predictions) == pytest.approx((0.7, 2 / 3))
