"""Garments by the parser: masks from the class of every pixel."""

from dataclasses import replace

import numpy as np

from preprocessing.errors import WeightsError
from preprocessing.layers import LAYERS
from preprocessing.parsing import garments
from realtime.engines import CACHE_DIR
from realtime.types import Region
from training.parsing.answer import FrameParser, openvino_parser
from training.weights import locate, verified


class ParserLocator:
    """Regions of what a parser sees, each with the scores of its layers."""

    def __init__(self, parser: FrameParser):
        self.info = replace(parser.info, classes=LAYERS)
        self._parse = parser

    def __call__(self, image: np.ndarray) -> list[Region]:
        """Garments in a BGR image (H, W, 3), largest first."""
        height, width = image.shape[:2]
        return garments(self._parse(image), width=width, height=height)


def load_parser(model: str, *, threads: int) -> ParserLocator:
    """A committed parser on OpenVINO.

    Raises:
        WeightsError: no such parser, or its file is missing or damaged.
    """
    stem, info = locate(model)
    if info.task != "parse":
        raise WeightsError(f"{model} is no parser: give it with --model, not --locate")
    verified(stem.with_suffix(".onnx"))
    return ParserLocator(openvino_parser(stem, info, threads=threads, cache=str(CACHE_DIR)))
