"""A published detector: an image is letterboxed, the output decoded to boxes with class scores."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Unpack

import cv2
import numpy as np

from preprocessing.images.regions import box_iou
from training.inference.networks import Layout, Loader
from training.inference.openvino_network import NetworkOptions, OpenVinoNetwork
from training.inference.weights import STRIDE, WeightsInfo

GREY = 114  # of 255, in all channels: the padding of ultralytics' training images
OVERLAP = 0.7  # IoU above which the weaker of two boxes of a class is the same object
MOST = 300  # boxes of an image
# From BGR uint8 (H, W, 3), sides in multiples of the stride, to float32 (4 + classes, anchors).
Network = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Detections:
    """Objects detected in one image, highest score first.

    Attributes:
        boxes: float32 (N, 4), xyxy in pixels of the image, inside it.
        scores: float32 (N, classes), 0 to 1, independent of each other.
    """

    boxes: np.ndarray
    scores: np.ndarray

    @property
    def labels(self) -> np.ndarray:
        """The best class of each box, int64 (N,)."""
        return self.scores.argmax(axis=1)

    @property
    def confidences(self) -> np.ndarray:
        """The score of that class, float32 (N,)."""
        return self.scores.max(axis=1, initial=0)

    def take(self, rows: np.ndarray) -> "Detections":
        """The detections of some rows."""
        return Detections(self.boxes[rows], self.scores[rows])


@dataclass(frozen=True)
class Letterbox:
    """Scaling and padding for images of one size: by `scale`, then `left` and `top` pixels of grey.

    Attributes:
        width, height: of the image; inner_width, inner_height: of the scaled image.
        input_width, input_height: of the network's input.
    """

    width: int
    height: int
    scale: float
    inner_width: int
    inner_height: int
    left: int
    top: int
    input_width: int
    input_height: int

    @classmethod
    def fit(cls, width: int, height: int, size: int, *, square: bool = False) -> "Letterbox":
        """Fit an image's longer side to `size`; the shorter is padded to the stride.

        The rounding is that of ultralytics' predictor, so that boxes agree to the pixel.

        Args:
            square: pad the shorter side to `size` too.
        """
        scale = min(size / width, size / height)
        inner_width, inner_height = round(width * scale), round(height * scale)
        missing = [size - inner_width, size - inner_height]
        if not square:
            missing = [value % STRIDE for value in missing]
        left, top = (round(value / 2 - 0.1) for value in missing)
        return cls(
            width,
            height,
            scale,
            inner_width,
            inner_height,
            left,
            top,
            inner_width + missing[0],
            inner_height + missing[1],
        )

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """The image BGR uint8 (height, width, 3) as input (input_height, input_width, 3)."""
        inner = image
        if image.shape[:2] != (self.inner_height, self.inner_width):
            inner = cv2.resize(image, (self.inner_width, self.inner_height))
        canvas = np.full((self.input_height, self.input_width, 3), GREY, np.uint8)
        bottom, right = self.top + self.inner_height, self.left + self.inner_width
        canvas[self.top : bottom, self.left : right] = inner
        return canvas

    def undo(self, boxes: np.ndarray) -> np.ndarray:
        """Boxes float32 (N, 4) xyxy of the input as boxes of the image, clipped to it."""
        moved = (boxes - np.array([self.left, self.top] * 2, np.float32)) / self.scale
        limit = np.array([self.width, self.height] * 2, np.float32)
        return np.clip(moved, 0, limit).astype(np.float32)


def decode(
    output: np.ndarray,
    *,
    confidence: float,
    max_iou: float = OVERLAP,
    multi_label: bool = False,
    class_agnostic: bool = False,
) -> Detections:
    """Boxes from a detector's output float32 (4 + classes, anchors), in pixels of its input.

    The first four rows are centre, width and height; the others are scores of 0 to 1. Of boxes of
    one class whose IoU is above `max_iou`, the one with the highest score is kept.

    Args:
        multi_label: an anchor is a box of each class that scores above `confidence`, with that
            score alone, as average precision is computed; otherwise one of its best class.
        class_agnostic: boxes that overlap as much are one object whatever their classes, and vote
            on its place: see `_voted`.
    """
    found, sizes = _candidates(output, confidence, multi_label=multi_label)
    if not len(sizes):
        return found
    corners = np.concatenate([found.boxes[:, :2], sizes], axis=1)
    strength = found.confidences
    classes = np.zeros_like(found.labels) if class_agnostic else found.labels
    # OpenCV takes arrays too, though its annotations name sequences only.
    kept = cv2.dnn.NMSBoxesBatched(corners, strength, classes, 0.0, max_iou)  # type: ignore[arg-type]
    rows = np.asarray(kept, np.int64).reshape(-1)
    best = found.take(rows[np.argsort(-strength[rows], kind="stable")][:MOST])
    return _voted(best, found, max_iou) if class_agnostic else best


def _candidates(
    output: np.ndarray, confidence: float, *, multi_label: bool
) -> tuple[Detections, np.ndarray]:
    """All boxes above a confidence that have an area, and their widths and heights (N, 2)."""
    scores = output[4:]
    if multi_label:
        classes, anchors = np.nonzero(scores > confidence)
        own = np.zeros((len(anchors), len(scores)), np.float32)
        own[np.arange(len(anchors)), classes] = scores[classes, anchors]
    else:
        anchors = np.flatnonzero(scores.max(axis=0) > confidence)
        own = scores[:, anchors].T
    centres, sizes = output[:2, anchors].T, output[2:4, anchors].T
    boxes = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)
    rows = np.flatnonzero((boxes[:, 2:] > boxes[:, :2]).all(axis=1))
    return Detections(boxes.astype(np.float32), own).take(rows), sizes[rows]


def _voted(best: Detections, found: Detections, max_iou: float) -> Detections:
    """Box voting: the best boxes, each moved to the score-weighted mean of those that overlap it.

    Such a mean is more accurate (Gidaris and Komodakis 2015, arXiv 1505.01749), and the more so the
    better the boxes agree: scores are multiplied by the mean IoU with it.
    """
    votes = (box_iou(best.boxes, found.boxes) > max_iou) * found.confidences
    votes /= votes.sum(axis=1, keepdims=True)
    boxes = votes @ found.boxes
    agreement = (votes * box_iou(boxes, found.boxes)).sum(axis=1, keepdims=True)
    moved = Detections(boxes, best.scores * agreement)
    return moved.take(np.argsort(-moved.confidences, kind="stable"))


class Detector:
    """A network with its letterbox and decoding.

    Args:
        confidence: minimum score of a box; None for the one chosen on validation.
        square: pad every image to one shape, for images of many sizes.
        multi_label, class_agnostic: see `decode`.
    """

    def __init__(
        self,
        info: WeightsInfo,
        network: Network,
        *,
        confidence: float | None = None,
        square: bool = False,
        multi_label: bool = False,
        class_agnostic: bool = False,
    ):
        self.info = info
        self.confidence = info.confidence if confidence is None else confidence
        self._network = network
        self._square = square
        self._multi_label, self._class_agnostic = multi_label, class_agnostic

    def __call__(self, image: np.ndarray) -> Detections:
        """The objects in a BGR image uint8 (H, W, 3)."""
        height, width = image.shape[:2]
        letterbox = _letterbox(width, height, self.info.size, self._square)
        found = decode(
            self._network(letterbox(image)),
            confidence=self.confidence,
            multi_label=self._multi_label,
            class_agnostic=self._class_agnostic,
        )
        boxes = letterbox.undo(found.boxes)
        if self._class_agnostic:  # garments cover whole pixels
            rounded = np.round(boxes)
            has_area = (rounded[:, 2:] > rounded[:, :2]).all(axis=1, keepdims=True)
            boxes = np.where(has_area, rounded, boxes)
        return Detections(boxes, found.scores)


@lru_cache(maxsize=16)
def _letterbox(width: int, height: int, size: int, square: bool) -> Letterbox:
    return Letterbox.fit(width, height, size, square=square)


def read_detector(stem: Path, info: WeightsInfo, load: Loader) -> Network:
    """The .onnx file on a runtime, with the errors of its loader."""
    network = load(stem, layout=Layout.FRAMES)
    network.require(fits=network.output[1] in (4 + len(info.classes), -1))
    return lambda image: network(image[None])[0]


def openvino_detector(stem: Path, info: WeightsInfo, **options: Unpack[NetworkOptions]) -> Network:
    """The .onnx file on OpenVINO, with the options and errors of `OpenVinoNetwork`."""
    return read_detector(stem, info, partial(OpenVinoNetwork, **options))
