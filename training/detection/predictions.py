"""Predictions of a published detector for labelled images, or for images without a garment."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from preprocessing.datasets.yolo_layout import Boxes, read_boxes
from preprocessing.errors import DataError
from preprocessing.images.pictures import read_picture
from training.inference.detector import Detections, Detector, Network
from training.inference.label_fusion import BoxClassifier
from training.inference.weights import WeightsInfo

MIN_SCORE = 0.001  # of the boxes that average precision is computed from


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


def predict_images(
    info: WeightsInfo,
    network: Network,
    images: Sequence[Path],
    *,
    labelled: bool,
    namer: BoxClassifier | None = None,
) -> list[ImagePrediction]:
    """Return a detector's boxes in all classes for images, with their labels.

    Args:
        labelled: False for images without any garment.
        namer: labels the boxes together with the detector; None for the detector alone.

    Raises:
        DataError: an image cannot be read, its label file is broken, or there is no image.
    """
    detector = Detector(info, network, confidence=MIN_SCORE, square=True,
                        multi_label=namer is None, class_agnostic=namer is not None)  # fmt: skip
    found = []
    for path in tqdm(images, "images", disable=None):
        image = read_picture(path)
        height, width = image.shape[:2]
        truth = Boxes(np.zeros(0, np.int64), np.zeros((0, 4), np.float32))
        if labelled:
            fractions = read_boxes(path, classes=len(info.classes))
            sides = np.array([width, height] * 2, np.float32)
            truth = Boxes(fractions.labels, fractions.boxes * sides)
        detected = detector(image)
        peak = float(detected.confidences.max(initial=0))
        if namer:
            detected = namer(image, detected)
        found.append(ImagePrediction(path, width, height, truth, detected, peak))
    if not found:
        raise DataError("no images to evaluate the detector on")
    return found
