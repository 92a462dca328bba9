"""Ways of finding garments: LOCATORS rows make a function from a BGR image to list[Region]."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from preprocessing.images.regions import whole_image
from preprocessing.images.segmentation import Segmenter
from realtime.types import Region
from training.detection.recipes import NAMERS
from training.inference.weights import WeightsInfo

Locate = Callable[[np.ndarray], list[Region]]


@dataclass(frozen=True)
class Setup:
    """What a locator that runs a network needs to know.

    Attributes:
        engine, device, threads: as `engines.choose` gave them.
        streams: frames that may be looked at side by side.
        confidence: least score of a garment; None for the network's own.
        only: names of the classes to look for; none for all.
        outline: look for each garment's outline in its box.
        one_each: see `decode`.
    """

    engine: str = "openvino"
    device: str = "cpu"
    threads: int = 1
    streams: int = 1
    confidence: float | None = None
    only: tuple[str, ...] = ()
    outline: bool = False
    one_each: bool = False


def whole(image: np.ndarray) -> list[Region]:
    """The whole frame as one garment."""
    return [whole_image(image)]


def nothing(image: np.ndarray) -> list[Region]:
    """No garment: the video passes through."""
    return []


def _segmenter(method: str, setup: Setup) -> Locate:
    return Segmenter(method)


def _detector(model: str, setup: Setup) -> Locate:
    from realtime.analysis.detector_locator import DetectorLocator, load_detector

    detector = load_detector(model, engine=setup.engine, device=setup.device,
                             threads=setup.threads, streams=setup.streams,
                             confidence=setup.confidence, one_each=setup.one_each)  # fmt: skip
    return DetectorLocator(detector, setup.only, outline=setup.outline, streams=setup.streams)


def _parser(model: str, setup: Setup) -> Locate:
    from realtime.analysis.parser_locator import ParserLocator, load_parser

    parser = load_parser(model, threads=setup.threads, streams=setup.streams)
    return ParserLocator(parser, setup.only, confidence=setup.confidence or 0.0,
                         streams=setup.streams)  # fmt: skip


def suited(info: WeightsInfo) -> str:
    """The locator for a classifier, as measured by `realtime.bench.score`.

    Networks that know photos look at worn clothes as well, which only the parser finds; those of
    Fashion-MNIST want outlines on a plain ground, and what was made for a detector wants that.
    """
    for detector, namer in NAMERS.items():
        if info.name == namer:
            return detector
    return "parser" if info.cut == "photo" else "segment"


LOCATORS: dict[str, Callable[[Setup], Locate]] = {
    "segment": partial(_segmenter, "border"),
    "grabcut": partial(_segmenter, "grabcut"),
    "green": partial(_segmenter, "green"),
    "motion": partial(_segmenter, "motion"),
    "yolo": partial(_detector, "yolo"),
    "yolo-photo": partial(_detector, "yolo-photo"),
    "parser": partial(_parser, "parser"),
    "whole": lambda setup: whole,
    "none": lambda setup: nothing,
}
