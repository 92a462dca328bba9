"""Scores of a detector: COCO's average precision, and false boxes in images without an object."""

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from preprocessing.datasets.yolo_layout import Boxes
from preprocessing.images.regions import box_iou
from training.inference.detector import Detections

MAX_FALSE = 0.02  # fraction of the empty images that may show a box at the chosen threshold
MATCH_IOU = 0.5  # from which a box is that of an object
MAX_BOXES = 100  # of an image, as in COCO


@dataclass(frozen=True, eq=False)
class ImagePrediction:
    """The boxes of one image, true and detected.

    Attributes:
        width, height: of the image, in pixels.
        truth: class ids int64 (N,) and boxes float32 (N, 4) in pixels.
        detected: boxes of MIN_SCORE or more.
        peak: the detector's own highest score, which decides if the image shows a box at all.
    """

    path: Path
    width: int
    height: int
    truth: Boxes
    detected: Detections
    peak: float


@dataclass(frozen=True, eq=False)
class DetectionScores:
    """Figures of a detector on a set of images, all 0 to 1 but the counts.

    Attributes:
        map50, map50_95: mean over the classes that occur; per_class: the same by class (K, 2),
            nan where a class does not occur.
        precision: at IoU 0.5, float32 (101, K), for recalls 0 to 1; nan likewise.
        confidence: at which precision and recall of all boxes have the highest F1.
        empty: images without an object; false_frames: fraction of them with a box at `threshold`.
    """

    map50: float
    map50_95: float
    per_class: np.ndarray
    precision: np.ndarray
    images: int
    objects: int
    confidence: float
    f1: float
    threshold: float
    empty: int
    false_frames: float

    def summary(self) -> dict[str, float]:
        """The single figures."""
        return {
            "map50": self.map50, "map50_95": self.map50_95, "f1": self.f1,
            "images": self.images, "objects": self.objects, "threshold": self.threshold,
            "best_threshold": self.confidence, "empty_images": self.empty,
            "false_frames": self.false_frames,
        }  # fmt: skip


def score_detections(
    predictions: Sequence[ImagePrediction], *, classes: int, threshold: float
) -> DetectionScores:
    """Average precision as COCO defines it (arXiv 1405.0312), and the threshold of the best F1."""
    precision = _coco_precision(predictions, classes)  # (10 IoUs, 101 recalls, classes)
    precision = np.where(precision < 0, np.nan, precision)
    occurring = ~np.isnan(precision).all(axis=(0, 1))
    per_class = np.full((classes, 2), np.nan)
    per_class[occurring, 0] = precision[0][:, occurring].mean(axis=0)
    per_class[occurring, 1] = precision[:, :, occurring].mean(axis=(0, 1))
    confidence, f1 = best_threshold(predictions)
    empty = [one for one in predictions if not len(one.truth.labels)]
    false = sum(one.peak > threshold for one in empty)
    mean50, mean = per_class[occurring].mean(axis=0) if occurring.any() else (0.0, 0.0)
    return DetectionScores(
        map50=float(mean50),
        map50_95=float(mean),
        per_class=per_class,
        precision=precision[0],
        images=len(predictions),
        objects=sum(len(one.truth.labels) for one in predictions),
        confidence=confidence,
        f1=f1,
        threshold=threshold,
        empty=len(empty),
        false_frames=false / len(empty) if empty else 0.0,
    )


def _coco_precision(predictions: Sequence[ImagePrediction], classes: int) -> np.ndarray:
    """Interpolated precision float64 (10, 101, classes); -1 where a class does not occur."""
    images, truth, detected = _coco_tables(predictions)
    if not truth or not detected:
        precision = np.full((10, 101, classes), -1.0)
        precision[:, :, sorted({row["category_id"] for row in truth})] = 0
        return precision
    reference = COCO()
    reference.dataset = {"images": images, "annotations": truth,
                         "categories": [{"id": k} for k in range(classes)]}  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        reference.createIndex()
        evaluation = COCOeval(reference, reference.loadRes(detected), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
    most = evaluation.params.maxDets.index(MAX_BOXES)
    return evaluation.eval["precision"][:, :, :, 0, most]


def _coco_tables(predictions: Sequence[ImagePrediction]) -> tuple[list[dict[str, Any]], ...]:
    """Images, true boxes and detected boxes as rows of COCO's tables."""
    images: list[dict[str, Any]] = []
    truth: list[dict[str, Any]] = []
    detected: list[dict[str, Any]] = []
    for number, one in enumerate(predictions, start=1):
        images.append({"id": number, "width": one.width, "height": one.height})
        for label, box in zip(one.truth.labels, _xywh(one.truth.boxes), strict=True):
            truth.append({"id": len(truth) + 1, "image_id": number, "category_id": int(label),
                          "bbox": box, "area": box[2] * box[3], "iscrowd": 0})  # fmt: skip
        boxes, found = _xywh(one.detected.boxes), one.detected
        for label, box, score in zip(found.labels, boxes, found.confidences, strict=True):
            detected.append({"image_id": number, "category_id": int(label), "bbox": box,
                             "score": float(score)})  # fmt: skip
    return images, truth, detected


def _xywh(boxes: np.ndarray) -> list[list[float]]:
    return np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1).tolist()


def best_threshold(predictions: Sequence[ImagePrediction]) -> tuple[float, float]:
    """Return the score from which on boxes have the highest F1 at IoU 0.5, and that F1.

    Scores that more than the fraction MAX_FALSE of the empty images exceed are left out.
    """
    scores = np.concatenate([one.detected.confidences for one in predictions])
    hit = np.concatenate([hits(one) for one in predictions])
    objects = sum(len(one.truth.labels) for one in predictions)
    if not len(scores) or not objects:
        return 0.5, 0.0
    order = np.argsort(-scores, kind="stable")
    scores, true = scores[order], np.cumsum(hit[order])
    f1 = 2 * true / (np.arange(1, len(true) + 1) + objects)
    peaks = np.sort([one.peak for one in predictions if not len(one.truth.labels)])[::-1]
    if len(peaks):
        f1[scores < peaks[int(MAX_FALSE * len(peaks))]] = 0
    best = int(f1.argmax())
    return float(scores[best]), float(f1[best])


def hits(prediction: ImagePrediction) -> np.ndarray:
    """True for each detected box that is right, bool (N,); each object is detected once."""
    detected, truth = prediction.detected, prediction.truth
    overlap = box_iou(detected.boxes, truth.boxes)
    overlap[detected.labels[:, None] != truth.labels[None, :]] = 0
    right = np.zeros(len(overlap), bool)
    for row in np.argsort(-detected.confidences, kind="stable"):
        if overlap.shape[1] and overlap[row].max() >= MATCH_IOU:
            right[row] = True
            overlap[:, overlap[row].argmax()] = 0
    return right
