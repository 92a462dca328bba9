"""Judges a detector on labelled images: COCO's average precision, and false boxes where none is."""

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from tqdm import tqdm

from preprocessing.datasets.yolo_layout import Boxes, read_boxes
from preprocessing.errors import DataError
from preprocessing.images.pictures import read_picture
from preprocessing.images.regions import box_iou
from training.inference.box_naming import Namer
from training.inference.detection_decoding import Detections
from training.inference.detector import Detector, Network
from training.inference.weights import WeightsInfo

LEAST = 0.001  # score of the boxes that average precision is computed from
MOST_FALSE = 0.02  # share of empty pictures that may show a box at the threshold
FOUND = 0.5  # IoU at which a box counts as found
EVERY = 100  # boxes an image that count, as in COCO


@dataclass(frozen=True, eq=False)
class Answer:
    """One image's truth and what the detector says of it.

    Attributes:
        truth: class ids int64 (N,) and boxes float32 (N, 4) in pixels; found: down to `LEAST`.
        peak: the detector's own highest score, by which its threshold shows a box or none.
    """

    path: Path
    width: int
    height: int
    truth: Boxes
    found: Detections
    peak: float


@dataclass(frozen=True, eq=False)
class Scores:
    """Figures of a detector on a set of images, all 0 to 1 but the counts.

    Attributes:
        map50, map50_95: mean over the classes that occur; per_class: the same by class (K, 2),
            nan where a class does not occur.
        precision: at IoU 0.5, float32 (101, K), for recalls 0 to 1; nan likewise.
        confidence: at which precision and recall (of all boxes) have the highest F1.
        empty: images without an object; false_frames: share of those with a box at `threshold`.
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


def answers(
    info: WeightsInfo,
    network: Network,
    images: Sequence[Path],
    *,
    labelled: bool,
    namer: Namer | None = None,
) -> list[Answer]:
    """What a network finds in images, in every class, beside their labels.

    Args:
        labelled: False for images without any garment.
        namer: looks at every box again to name it; None where the detector names alone.

    Raises:
        DataError: an image cannot be read, or its label file is broken.
    """
    detector = Detector(info, network, confidence=LEAST, square=True, multi_label=namer is None,
                        class_agnostic=namer is not None)  # fmt: skip
    given = []
    for path in tqdm(images, "images", disable=None):
        image = read_picture(path)
        height, width = image.shape[:2]
        truth = Boxes(np.zeros(0, np.int64), np.zeros((0, 4), np.float32))
        if labelled:
            shares = read_boxes(path, classes=len(info.classes))
            sides = np.array([width, height] * 2, np.float32)
            truth = Boxes(shares.labels, shares.boxes * sides)
        found = detector(image)
        peak = float(found.confidences.max(initial=0))
        if namer:
            found = namer(image, found)
        given.append(Answer(path, width, height, truth, found, peak))
    if not given:
        raise DataError("no images to judge the detector by")
    return given


def score(given: Sequence[Answer], *, classes: int, threshold: float) -> Scores:
    """Average precision as COCO defines it (arXiv 1405.0312), with the common F1 threshold."""
    precision = _coco_precision(given, classes)  # (10 IoUs, 101 recalls, classes)
    precision = np.where(precision < 0, np.nan, precision)
    occurring = ~np.isnan(precision).all(axis=(0, 1))
    per_class = np.full((classes, 2), np.nan)
    per_class[occurring, 0] = precision[0][:, occurring].mean(axis=0)
    per_class[occurring, 1] = precision[:, :, occurring].mean(axis=(0, 1))
    confidence, f1 = best_threshold(given)
    empty = [answer for answer in given if not len(answer.truth.labels)]
    wrong = sum(answer.peak > threshold for answer in empty)
    mean50, mean = per_class[occurring].mean(axis=0) if occurring.any() else (0.0, 0.0)
    return Scores(
        map50=float(mean50),
        map50_95=float(mean),
        per_class=per_class,
        precision=precision[0],
        images=len(given),
        objects=sum(len(answer.truth.labels) for answer in given),
        confidence=confidence,
        f1=f1,
        threshold=threshold,
        empty=len(empty),
        false_frames=wrong / len(empty) if empty else 0.0,
    )


def _coco_precision(given: Sequence[Answer], classes: int) -> np.ndarray:
    """Interpolated precision float64 (10, 101, classes); -1 where a class does not occur."""
    images, truth, found = [], [], []
    for number, answer in enumerate(given, start=1):
        images.append({"id": number, "width": answer.width, "height": answer.height})
        for label, box in zip(answer.truth.labels, _xywh(answer.truth.boxes), strict=True):
            truth.append({"id": len(truth) + 1, "image_id": number, "category_id": int(label),
                          "bbox": box, "area": box[2] * box[3], "iscrowd": 0})  # fmt: skip
        boxes = _xywh(answer.found.boxes)
        rows = zip(answer.found.labels, boxes, answer.found.confidences, strict=True)
        for label, box, strength in rows:
            found.append({"image_id": number, "category_id": int(label), "bbox": box,
                          "score": float(strength)})  # fmt: skip
    if not truth or not found:
        precision = np.full((10, 101, classes), -1.0)
        precision[:, :, sorted({row["category_id"] for row in truth})] = 0
        return precision
    reference = COCO()
    reference.dataset = {"images": images, "annotations": truth,
                         "categories": [{"id": k} for k in range(classes)]}  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        reference.createIndex()
        judge = COCOeval(reference, reference.loadRes(found), "bbox")
        judge.evaluate()
        judge.accumulate()
    return judge.eval["precision"][:, :, :, 0, judge.params.maxDets.index(EVERY)]


def _xywh(boxes: np.ndarray) -> list[list[float]]:
    return np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1).tolist()


def best_threshold(given: Sequence[Answer]) -> tuple[float, float]:
    """The score from which on boxes have the highest F1 at IoU 0.5, and that F1.

    Only scores that no more than the share MOST_FALSE of the empty pictures exceed are taken.
    """
    strengths, right = [], []
    for answer in given:
        strengths.append(answer.found.confidences)
        right.append(hits(answer))
    strength, hit = np.concatenate(strengths), np.concatenate(right)
    objects = sum(len(answer.truth.labels) for answer in given)
    if not len(strength) or not objects:
        return 0.5, 0.0
    order = np.argsort(-strength, kind="stable")
    strength, true = strength[order], np.cumsum(hit[order])
    f1 = 2 * true / (np.arange(1, len(true) + 1) + objects)
    peaks = np.sort([a.peak for a in given if not len(a.truth.labels)])[::-1]
    if len(peaks):
        f1[strength < peaks[int(MOST_FALSE * len(peaks))]] = 0
    best = int(f1.argmax())
    return float(strength[best]), float(f1[best])


def hits(answer: Answer) -> np.ndarray:
    """Which boxes found, strongest first, are right: bool (N,); each object is found once."""
    overlap = box_iou(answer.found.boxes, answer.truth.boxes)
    overlap[answer.found.labels[:, None] != answer.truth.labels[None, :]] = 0
    right = np.zeros(len(overlap), bool)
    for row in np.argsort(-answer.found.confidences, kind="stable"):
        if overlap.shape[1] and overlap[row].max() >= FOUND:
            right[row] = True
            overlap[:, overlap[row].argmax()] = 0
    return right
