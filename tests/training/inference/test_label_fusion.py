"""Fusion of a classifier's and a detector's probabilities."""

import numpy as np
import pytest

from preprocessing.errors import UsageError
from training.inference.detector import Detections
from training.inference.label_fusion import (
    FusionWeights,
    default_box_classifier,
    fused_detections,
    load_box_classifier,
    log_linear_pool,
)
from training.inference.weights import locate

FUSION = FusionWeights(lying=(0.7, 0.3))


def test_a_pool_with_one_source_is_that_source():
    one, other = np.array([[0.2, 0.8]], np.float32), np.array([[0.9, 0.1]], np.float32)
    logs = np.log(one), np.log(other)
    assert log_linear_pool(*logs, powers=(1, 0)) == pytest.approx(one)
    assert log_linear_pool(*logs, powers=(0, 1)) == pytest.approx(other)
    both = log_linear_pool(*logs, powers=np.array([[1, 1]]))
    assert both == pytest.approx(one * other / (one * other).sum())


def test_further_evidence_multiplies():
    uniform = np.zeros((1, 2), np.float32)
    found = log_linear_pool(uniform, uniform, powers=(1, 1), log_likelihood=np.log([[3.0, 1.0]]))
    assert found == pytest.approx(np.array([[0.75, 0.25]]))


def test_a_classifier_helps_to_label_boxes():
    boxes = np.array([[0, 0, 8, 8], [8, 0, 16, 8]], np.float32)
    found = Detections(boxes, np.array([[0.6, 0.5], [0.3, 0.0]], np.float32))
    both = fused_detections(found, np.array([[0.1, 0.9], [0.5, 0.5]], np.float32), FUSION)
    assert both.confidences.tolist() == sorted(both.confidences, reverse=True)
    scores = {(box[0], label): score for box, label, score in
              zip(both.boxes, both.labels, both.confidences, strict=True)}  # fmt: skip
    assert scores[0, 0] + scores[0, 1] == pytest.approx(1.0)
    assert scores[0, 1] > scores[0, 0]  # the classifier is more certain
    assert scores[8, 0] + scores[8, 1] == pytest.approx(0.3)
    assert scores[8, 0] > scores[8, 1]  # the classifier is undecided


def test_a_detector_has_a_classifier_of_its_own_or_none():
    assert default_box_classifier(locate("yolo")[1]) == "yolo-names"
    assert default_box_classifier(locate("yolo-photo")[1]) is None


def test_a_classifier_of_other_classes_is_refused():
    with pytest.raises(UsageError, match="classifier photo has the classes"):
        load_box_classifier("photo", "yolo")
