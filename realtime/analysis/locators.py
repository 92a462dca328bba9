"""Ways to find garments: the contract Locator, and LOCATORS, the table behind --locate.

Imports nothing heavy, so that --help answers at once: a row imports its modules when it builds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from training.inference.label_sources import BOTH, BOX_CLASSIFIERS, CLASSIFIER

if TYPE_CHECKING:
    import numpy as np

    from realtime.types import Region
    from training.inference.networks import Loader
    from training.inference.pose import PoseEstimator
    from training.inference.weights import WeightsInfo


class Locator(Protocol):
    """Finds the garments of a frame: BGR uint8 (H, W, 3) to regions.

    Attributes:
        info: metadata of the network whose class scores the regions carry; None if they carry none.
        streams: frames that may be processed concurrently, each by a thread of the caller.
        every: detection interval in frames at a smooth pace; optical flow bridges the others.
    """

    @property
    def info(self) -> "WeightsInfo | None": ...
    @property
    def streams(self) -> int: ...
    @property
    def every(self) -> int: ...
    def __call__(self, image: "np.ndarray", /) -> "list[Region]": ...

    def fresh(self) -> "Locator":
        """The same for another source: itself, unless earlier frames influence the result."""
        ...


@dataclass(frozen=True)
class LocatorOptions:
    """The choices that a locator with a network is built from.

    Attributes:
        engine, device, threads: as `devices.choose` returns them.
        precision: a name of PRECISIONS.
        streams: frames that may be processed concurrently.
        confidence: minimum class score of a region; None for the network's own.
        only: names of the classes to keep; empty for all.
        outline: segment the garment inside each box.
        class_agnostic: merge overlapping boxes whatever their classes; see `decode`.
        poses: confirms people and finds those whom the detector misses; None where not installed.
    """

    engine: str = "openvino"
    device: str = "cpu"
    threads: int = 1
    precision: str = "auto"
    streams: int = 1
    confidence: float | None = None
    only: tuple[str, ...] = ()
    outline: bool = False
    class_agnostic: bool = False
    poses: "PoseEstimator | None" = None

    def loader(self) -> "Loader":
        """The factory of the locator's networks.

        Raises:
            DeviceError: the engine or device is not available.
        """
        from realtime.analysis.engines import EngineOptions, loader

        return loader(EngineOptions(engine=self.engine, device=self.device, threads=self.threads,
                                    precision=self.precision, streams=self.streams))  # fmt: skip


@dataclass(frozen=True)
class LocatorRow:
    """A row of LOCATORS.

    Attributes:
        build: makes the locator.
        label_source: default of --label-source; CLASSIFIER if the regions carry no class scores.
        classifier: default of --model, trained on this locator's boxes; "" for the app's default.
        networks: the weight files that it reads, by their names.
        slow: True if detection on every frame would dominate the run time.
        worn: True if it separates worn from lying garments, to which pose keypoints then apply.
    """

    build: Callable[[LocatorOptions], Locator]
    label_source: str = CLASSIFIER
    classifier: str = ""
    networks: tuple[str, ...] = ()
    slow: bool = False
    worn: bool = False

    @property
    def scored(self) -> bool:
        """True if its regions carry class scores."""
        return self.label_source != CLASSIFIER


def _segmenter(method: str, options: LocatorOptions) -> Locator:
    from realtime.analysis.segmenter_locator import SegmenterLocator

    return SegmenterLocator(method)


def _detector(model: str, options: LocatorOptions) -> Locator:
    from realtime.analysis.network_locators import DetectorLocator, load_detector

    detector = load_detector(
        model,
        options.loader(),
        confidence=options.confidence,
        class_agnostic=options.class_agnostic,
    )
    return DetectorLocator(detector, options.only, outline=options.outline, streams=options.streams)


def _parser(model: str, options: LocatorOptions) -> Locator:
    from realtime.analysis.network_locators import ParserLocator, load_parser

    parser = load_parser(model, options.loader())
    return ParserLocator(
        parser, options.only, confidence=options.confidence or 0.0, streams=options.streams
    )


def _people(detector: str, parser: str, options: LocatorOptions) -> Locator:
    from realtime.analysis.network_locators import ParserLocator, load_detector, load_parser
    from realtime.analysis.people_locator import PeopleLocator
    from training.inference.people import CANDIDATE, PeopleFinder

    load = options.loader()
    people = load_detector(detector, load, confidence=CANDIDATE)
    network = load_parser(parser, load)
    frames = ParserLocator(
        network, options.only, confidence=options.confidence or 0.0, streams=options.streams
    )
    finder = PeopleFinder(people, network, options.poses)
    # Other devices take frames in batches, in which none waits for the people of the one before.
    return PeopleLocator(finder, frames, remembers=options.device == "cpu")


def _whole_frame(options: LocatorOptions) -> Locator:
    from realtime.analysis.segmenter_locator import WholeFrameLocator

    return WholeFrameLocator()


def _nothing(options: LocatorOptions) -> Locator:
    from realtime.analysis.segmenter_locator import EmptyLocator

    return EmptyLocator()


LOCATORS: dict[str, LocatorRow] = {
    "segment": LocatorRow(partial(_segmenter, "border")),
    "grabcut": LocatorRow(partial(_segmenter, "grabcut"), slow=True),
    "green": LocatorRow(partial(_segmenter, "green")),
    "motion": LocatorRow(partial(_segmenter, "motion")),
    "yolo": LocatorRow(
        partial(_detector, "yolo"),
        label_source=BOTH,
        classifier=BOX_CLASSIFIERS["yolo"],
        networks=("yolo",),
        slow=True,
    ),
    "yolo-photo": LocatorRow(
        partial(_detector, "yolo-photo"), label_source=BOTH, networks=("yolo-photo",), slow=True
    ),
    "people": LocatorRow(
        partial(_people, "yolo-people", "parser"),
        label_source=BOTH,
        networks=("yolo-people", "parser"),
        slow=True,
        worn=True,
    ),
    "parser": LocatorRow(
        partial(_parser, "parser"), label_source=BOTH, networks=("parser",), slow=True, worn=True
    ),
    "whole": LocatorRow(_whole_frame),
    "none": LocatorRow(_nothing),
}


def default_locator(info: "WeightsInfo") -> str:
    """The locator that suits a classifier, as measured by `realtime.bench.score`.

    A classifier that was trained on a detector's boxes gets that detector. Classifiers of photos
    know worn clothes as well, which are parsed person by person; those of Fashion-MNIST need
    outlines on a plain background.
    """
    for name, row in LOCATORS.items():
        if row.classifier == info.name:
            return name
    return "people" if info.network_input == "photo" else "segment"
