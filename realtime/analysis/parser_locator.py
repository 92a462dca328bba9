"""The parser as a locator: garments with masks, from the class of every pixel."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from preprocessing.images.class_maps import garments
from preprocessing.labels import LAYERS
from realtime.analysis.class_filter import kept_classes
from realtime.analysis.engines import CACHE_DIR
from realtime.types import Region
from training.inference.parser import FrameParser, openvino_parser
from training.inference.weights import locate_for, verified


class ParserLocator:
    """Regions with masks, each with the scores of the layers.

    Args:
        only: names of the layers to keep; empty for all.
        confidence: minimum score of a region's layer.
        streams: frames that may be processed concurrently.
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
        self._parser, self._confidence = parser, confidence
        self._kept = kept_classes(self.info, only)

    def __call__(self, image: np.ndarray) -> list[Region]:
        """Garments in a BGR image (H, W, 3), largest first."""
        height, width = image.shape[:2]
        found = garments(
            self._parser(image), width=width, height=height, settings=self._parser.postprocessing
        )
        return [region for region in found if self._wanted(region)]

    def _wanted(self, region: Region) -> bool:
        scores = region.scores
        return (
            scores is not None
            and bool(self._kept[scores.argmax()])
            and float(scores.max()) >= self._confidence
        )


def load_parser(model: str, *, threads: int, streams: int = 1) -> FrameParser:
    """A committed parser on OpenVINO.

    Raises:
        WeightsError: no such parser, or its file is missing or damaged.
    """
    stem, info = locate_for("parse", model)
    verified(stem.with_suffix(".onnx"))
    return openvino_parser(stem, info, threads=threads, streams=streams, cache=str(CACHE_DIR))
