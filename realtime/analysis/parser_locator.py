"""Garments by the parser: masks from the class of every pixel."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from preprocessing.images.class_maps import garments
from preprocessing.labels import LAYERS
from realtime.analysis.engines import CACHE_DIR
from realtime.analysis.fusion import kept_classes
from realtime.types import Region
from training.inference.parser import FrameParser, openvino_parser
from training.inference.weights import locate_for, verified


class ParserLocator:
    """Regions of what a parser sees, each with the scores of its layers.

    Args:
        only: names of the layers to keep; none for all.
        confidence: least score of a region's layer.
        streams: frames that may be looked at side by side.
    """

    every = 3
    stateful = False

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
        self._parse, self._confidence = parser, confidence
        self._kept = kept_classes(self.info, only)

    def __call__(self, image: np.ndarray) -> list[Region]:
        """Garments in a BGR image (H, W, 3), largest first."""
        height, width = image.shape[:2]
        found = garments(self._parse(image), width=width, height=height)
        return [region for region in found if self._wanted(region.scores)]

    def _wanted(self, scores: np.ndarray) -> bool:
        return bool(self._kept[scores.argmax()] and scores.max() >= self._confidence)


def load_parser(model: str, *, threads: int, streams: int = 1) -> FrameParser:
    """A committed parser on OpenVINO.

    Raises:
        WeightsError: no such parser, or its file is missing or damaged.
    """
    stem, info = locate_for("parse", model)
    verified(stem.with_suffix(".onnx"))
    return openvino_parser(stem, info, threads=threads, streams=streams, cache=str(CACHE_DIR))
