"""Scores of a parser on photos with masks: pixels, layers, and garments as the app finds them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from preprocessing.datasets.parsed_people import layer_boxes
from preprocessing.images.class_maps import (
    CLASSES,
    FIRST,
    UNKNOWN_PIXEL,
    Postprocessing,
    garments,
    overlaps,
    pixel_pairs,
)
from preprocessing.images.regions import Region, box_iou
from training.parsing.data import AnnotatedPhoto

FREQUENT = 10  # photos that show a class, from which it counts in the mean
MATCH_IOU = 0.5  # of boxes, from which a found garment matches a true one
IGNORED_COVERAGE = 0.5  # fraction of a found garment on unknown pixels, from which it is ignored


@dataclass(eq=False)
class ParsingScores:
    """Counts over photos, and the figures that follow from them.

    Attributes:
        confusion: pixels int64 (classes, classes), a row a true class.
        shown: photos that show each class, int64 (classes,).
        regions: true garments; regions_right: those most of whose garment pixels have the right
            layer.
        true: garments in the photos; found: garments that the app makes of the probabilities;
            right: found ones with the box (IoU of MATCH_IOU) and the layer of a true one.
        ignored: garments found on suits, rompers and the like, whose pixels the masks do not
            divide into layers: neither right nor false, as COCO's regions to ignore.
    """

    confusion: np.ndarray
    shown: np.ndarray
    photos: int = 0
    regions: int = 0
    regions_right: int = 0
    true: int = 0
    found: int = 0
    right: int = 0
    ignored: int = 0

    def summary(self) -> dict[str, Any]:
        """The single figures; the mean IoU is over garments that FREQUENT photos show."""
        iou = overlaps(self.confusion)
        frequent = [k for k in range(FIRST, len(CLASSES)) if self.shown[k] >= FREQUENT]
        return {
            "photos": self.photos,
            "mean_iou": float(iou[frequent].mean()) if frequent else 0.0,
            "layers_right": self.regions_right / max(1, self.regions),
            "garments_f1": 2 * self.right / max(1, self.true + self.found),
            "false_a_photo": (self.found - self.right) / max(1, self.photos),
            "unjudged": self.ignored,
            "accuracy": float(np.diag(self.confusion).sum() / max(1, self.confusion.sum())),
            "iou": {CLASSES[k]: round(float(value), 4) for k, value in enumerate(iou)
                    if not np.isnan(value)},
        }  # fmt: skip


def score_parser(
    parse: Callable[[np.ndarray], np.ndarray],
    photos: Sequence[AnnotatedPhoto],
    *,
    postprocessing: Postprocessing,
) -> ParsingScores:
    """Compare a parser's predictions for photos with their masks.

    Args:
        parse: from a BGR image (H, W, 3) to class probabilities float32 (classes, h, w).
        postprocessing: fitted to the parser.
    """
    count = len(CLASSES)
    scores = ParsingScores(np.zeros((count, count), np.int64), np.zeros(count, np.int64))
    for photo in photos:
        image, truth = photo.read()
        probabilities = parse(image)
        height, width = truth.shape
        _count_pixels(scores, likeliest_classes(probabilities, width, height), truth)
        found = garments(probabilities, width=width, height=height, settings=postprocessing)
        count_garments(scores, found, truth)
        scores.photos += 1
    return scores


def likeliest_classes(probabilities: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return the likeliest class of every pixel, uint8 (height, width)."""
    planes = [cv2.resize(plane, (width, height)) for plane in probabilities]
    return np.stack(planes).argmax(axis=0).astype(np.uint8)


def _count_pixels(scores: ParsingScores, predicted: np.ndarray, truth: np.ndarray) -> None:
    scores.confusion += pixel_pairs(truth, predicted)
    for label in np.unique(truth[truth != UNKNOWN_PIXEL]):
        scores.shown[label] += 1
        if label >= FIRST:
            inside = predicted[truth == label]
            layers = np.bincount(inside[inside >= FIRST], minlength=len(CLASSES))
            scores.regions += 1
            scores.regions_right += bool(layers.sum()) and int(layers.argmax()) == label


def count_garments(scores: ParsingScores, found: Sequence[Region], truth: np.ndarray) -> None:
    """Add the garments found in a photo with the classes uint8 (H, W)."""
    layers, boxes = layer_boxes(truth - np.uint8(FIRST))  # classes below FIRST wrap to high values
    scores.true += len(layers)
    unmatched = dict(zip(layers, boxes, strict=True))  # a photo has one box a layer
    for region in found:
        if region.scores is None:
            raise ValueError("garments() returned a region without scores")
        layer = int(region.scores.argmax())
        box = unmatched.get(layer)
        if box is not None and box_iou(region.box[None], box[None])[0, 0] >= MATCH_IOU:
            scores.right += 1
            del unmatched[layer]
        elif _unknown_fraction(region, truth) >= IGNORED_COVERAGE:
            scores.ignored += 1
            continue
        scores.found += 1


def _unknown_fraction(region: Region, truth: np.ndarray) -> float:
    """The fraction of a region's mask that lies on pixels of unknown class."""
    x1, y1, x2, y2 = region.window
    return float((truth[y1:y2, x1:x2][region.mask > 0] == UNKNOWN_PIXEL).mean())
