"""Garments by the parser: masks from the class of every pixel."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import numpy as np

from preprocessing.errors import WeightsError
from preprocessing.layers import LAYERS
from preprocessing.parsing import CELL, garments
from realtime.engines import CACHE_DIR
from realtime.types import Region
from training.detection.decode import Letterbox
from training.parsing.answer import openvino_parser
from training.weights import WeightsInfo, locate, verified


class ParserLocator:
    """Regions of what a parser sees, each with the scores of its layers."""

    def __init__(self, info: WeightsInfo, answer: Callable[[np.ndarray], np.ndarray]):
        self.info = replace(info, classes=LAYERS)
        self._answer = answer

    def __call__(self, image: np.ndarray) -> list[Region]:
        """Garments in a BGR image (H, W, 3), largest first."""
        height, width = image.shape[:2]
        box = _fit(width, height, self.info.size)
        planes = np.ascontiguousarray(box(image).transpose(2, 0, 1)[None])
        inner = (box.left, box.top, box.left + box.inner_width, box.top + box.inner_height)
        cells = [round(side / CELL) for side in inner]
        return garments(self._answer(planes)[0], width=width, height=height, inner=cells)


@lru_cache(maxsize=16)
def _fit(width: int, height: int, size: int) -> Letterbox:
    return Letterbox.fit(width, height, size)


def load_parser(model: str, *, threads: int) -> ParserLocator:
    """A committed parser on OpenVINO.

    Raises:
        WeightsError: no such parser, or its file is missing or damaged.
    """
    stem, info = locate(model)
    if info.task != "parse":
        raise WeightsError(f"{model} is no parser: give it with --model, not --locate")
    verified(stem.with_suffix(".onnx"))
    return ParserLocator(info, openvino_parser(stem, info, threads=threads, cache=str(CACHE_DIR)))
