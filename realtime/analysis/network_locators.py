"""Locators by networks: detectors give boxes, the parser gives masks, both with class scores."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Self

import numpy as np

from preprocessing.errors import UsageError
from preprocessing.images.class_maps import garments
from preprocessing.images.segmentation import segment
from preprocessing.labels import LAYERS
from realtime.types import Region
from training.inference.detector import Detector, read_detector
from training.inference.networks import Loader
from training.inference.parser import FrameParser, read_parser
from training.inference.weights import WeightsInfo, locate_for, verified

RIM = 0.15  # of a box's longer side: background around it that the garment is segmented from
MIN_COVER = 0.1  # of the box, that an outline covers


def kept_classes(info: WeightsInfo, only: Sequence[str]) -> np.ndarray:
    """A locator's classes to keep, bool (classes,): those named, or all if none is.

    Raises:
        UsageError: it does not know one of them.
    """
    unknown = sorted(set(only) - set(info.classes))
    if unknown:
        raise UsageError(f"--only: {info.name} has no class {', '.join(unknown)}: choose from "
                         f"{', '.join(info.classes)}")  # fmt: skip
    return np.array([not only or name in only for name in info.classes])


class DetectorLocator:
    """Boxes, each with its class scores.

    Args:
        only: names of the classes to keep; empty for all.
        outline: segment the garment inside each box.
        streams: frames that may be processed concurrently.
    """

    every = 4  # optical flow moves boxes well, and labels settle after few detections

    def __init__(
        self,
        detector: Detector,
        only: Sequence[str] = (),
        *,
        outline: bool = False,
        streams: int = 1,
    ):
        self.info, self.streams = detector.info, streams
        self._detect, self._outline = detector, outline
        self._kept = kept_classes(detector.info, only)

    def __call__(self, image: np.ndarray) -> list[Region]:
        """Garments in a BGR image (H, W, 3), highest score first."""
        found = self._detect(image)
        found = found.take(np.flatnonzero(self._kept[found.labels]))
        regions = map(Region.from_box, found.boxes, found.scores)
        return [outlined(image, one) if self._outline else one for one in regions]

    def fresh(self) -> Self:
        return self


def outlined(image: np.ndarray, region: Region) -> Region:
    """A box with the mask of what differs from the background around it.

    Classifiers of cut-out garments need it; a box without such an outline keeps its full mask.
    """
    x1, y1, x2, y2 = region.window
    rim = round(RIM * max(x2 - x1, y2 - y1))
    left, top = max(0, x1 - rim), max(0, y1 - rim)
    crop = image[top : y2 + rim, left : x2 + rim]
    cover = np.zeros(crop.shape[:2], np.uint8)
    for one in segment(crop):
        a, b, c, d = one.window
        cover[b:d, a:c] |= one.mask
    mask = cover[y1 - top : y2 - top, x1 - left : x2 - left]
    if np.count_nonzero(mask) < MIN_COVER * mask.size:
        return region
    return Region(region.box, mask, region.scores)


def load_detector(
    model: str, load: Loader, *, confidence: float | None, class_agnostic: bool = False
) -> Detector:
    """A committed detector on an engine; for `class_agnostic` see `decode`.

    Raises:
        WeightsError: no such detector, or its file is missing or damaged.
        DeviceError: there is not enough memory for it.
    """
    stem, info = locate_for("detect", model)
    verified(stem.with_suffix(".onnx"))
    network = read_detector(stem, info, load)
    return Detector(info, network, confidence=confidence, class_agnostic=class_agnostic)


class ParserLocator:
    """Regions with masks, each with the scores of the layers.

    Args:
        only: names of the layers to keep; empty for all.
        confidence: minimum score of a region's layer.
        streams: frames that may be processed concurrently.
    """

    every = 3

    def __init__(
        self,
        parser: FrameParser,
        only: Sequence[str] = (),
        *,
        confidence: float = 0.0,
        streams: int = 1,
    ):
        self.streams = streams
        self.info = replace(parser.info, classes=LAYERS)
        self._parser, self._confidence = parser, confidence
        self._kept = kept_classes(self.info, only)

    def __call__(self, image: np.ndarray) -> list[Region]:
        """Garments in a BGR image (H, W, 3), largest first."""
        height, width = image.shape[:2]
        found = garments(
            self._parser(image), width=width, height=height, settings=self._parser.postprocessing
        )
        return [region for region in found if self.wanted(region)]

    def fresh(self) -> Self:
        return self

    def wanted(self, region: Region) -> bool:
        """True if a region's layer is to be kept and sure enough."""
        scores = region.scores
        return (
            scores is not None
            and bool(self._kept[scores.argmax()])
            and float(scores.max()) >= self._confidence
        )


def load_parser(model: str, load: Loader) -> FrameParser:
    """A committed parser on an engine.

    Raises:
        WeightsError: no such parser, or its file is missing or damaged.
        DeviceError: there is not enough memory for it.
    """
    stem, info = locate_for("parse", model)
    verified(stem.with_suffix(".onnx"))
    return read_parser(stem, info, load)
