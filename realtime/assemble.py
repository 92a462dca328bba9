"""From flags to objects: the analysis and the sinks that they choose."""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from preprocessing.errors import UsageError
from preprocessing.images.segmentation import Segmenter
from realtime.analysis.association import ASSOCIATORS
from realtime.analysis.classifier import load_classifier
from realtime.analysis.colour_and_attributes import Describer, load_attributes
from realtime.analysis.engines import CACHE_DIR, choose, streams_for
from realtime.analysis.fusion import FLAT, JointNames, ScoreNames
from realtime.analysis.locators import LOCATORS, Locate, Setup, suited
from realtime.analysis.optical_flow import PACES, SMOOTH
from realtime.analysis.pose_tracker import People
from realtime.analysis.tracker import Tracker
from realtime.flags import DEFAULT_MODEL, NAMED_BY, SLOW
from realtime.pipeline import Analysis
from realtime.sinks.annotate import Annotator
from realtime.sinks.best_crops import CropSink
from realtime.sinks.parquet import ParquetSink
from realtime.sinks.report import ReportSink
from realtime.sinks.rows import CsvSink, JsonlSink, SubtitleSink
from realtime.sinks.sink import Sink, SnapshotSink, video_or_picture
from realtime.sources.open_source import Source
from training.detection.recipes import DETECTOR, NAMERS
from training.inference.box_naming import POWERS
from training.inference.pose import PeopleFinder
from training.inference.weights import locate


def check_recognition(args: argparse.Namespace) -> None:
    """Fill in the default model; every flag of `add_recognition` is checked.

    Raises:
        UsageError: one is out of range, or goes with no other.
    """
    args.model = args.model or NAMERS.get(args.locate, DEFAULT_MODEL)
    if not 0 <= args.threshold <= 1:
        raise UsageError(f"--threshold must be 0 to 1, got {args.threshold:g}")
    if args.confidence is not None and not 0 <= args.confidence <= 1:
        raise UsageError(f"--confidence must be 0 to 1, got {args.confidence:g}")
    scored = args.name_by in (DETECTOR, "both") or args.only or args.confidence is not None
    if scored and located_by(args) not in NAMED_BY:
        raise UsageError("--name-by detector or both, --confidence and --only go with --locate "
                         f"{' or '.join(NAMED_BY)}, not {located_by(args)}")  # fmt: skip
    if args.joints and not joints_tell(located_by(args), args.name_by):
        raise UsageError("--joints goes with --locate parser and --name-by both: they tell the "
                         "names of what the parser finds")  # fmt: skip
    if args.threads < 1:
        raise UsageError(f"--threads must be at least 1, got {args.threads}")


def joints_tell(locator: str, name_by: str | None) -> bool:
    """Whether joints say anything of what is found; None stands for who names it by default."""
    return locator == "parser" and name_by in (None, "both")


def located_by(args: argparse.Namespace) -> str:
    """The name of the locator that the flags choose; `auto` asks the model.

    Raises:
        WeightsError: no such model.
    """
    if args.locate != "auto":
        return args.locate
    return suited(locate(args.model)[1])


def named_by(locator: str, model: str) -> str:
    """Who names what a locator finds unless a flag says so.

    Raises:
        WeightsError: no such model.
    """
    if locator in NAMERS and not locate(model)[1].knows_the_same(locate(locator)[1]):
        return DETECTOR  # the model speaks of other things
    return NAMED_BY.get(locator, "classifier")


def checked_analysis(args: argparse.Namespace) -> Analysis:
    """`make_analysis` of flags that nobody has looked at yet.

    Raises:
        UsageError: one is out of range, or goes with no other.
    """
    check_recognition(args)
    return make_analysis(args)


def _people_finder(args: argparse.Namespace) -> PeopleFinder | None:
    """The networks that see joints; None, and a line on stderr, where none asked and none are.

    Raises:
        WeightsError: a file is missing or damaged.
    """
    from training.inference import pose_files

    if args.joints is None and not pose_files.installed(pose_files.FOLDER):
        print(f"no {pose_files.FOLDER}: sleeves and legs are told less surely; "
              f"`{pose_files.COMMAND}` gets the pose networks", file=sys.stderr)  # fmt: skip
        return None
    files = pose_files.checked(pose_files.FOLDER)
    return PeopleFinder(*files, threads=args.threads, cache=str(CACHE_DIR))


def make_analysis(args: argparse.Namespace) -> Analysis:
    """The stages that the flags choose, as one call a frame."""
    return Kit(args).analysis()


class Kit:
    """What the flags choose, loaded once; makes an analysis for each of several sources.

    Args:
        shared: the analyses run side by side, so that their crops go through in one batch.
    """

    def __init__(self, args: argparse.Namespace, *, shared: bool = False):
        self._args = args
        engine, device = choose(args.engine, args.device)
        self._locator = located_by(args)
        name_by = args.name_by or named_by(self._locator, args.model)
        classified = name_by != DETECTOR
        looks_again = classified and args.model == NAMERS.get(self._locator)
        self._setup = Setup(
            engine,
            device,
            args.threads,
            streams_for(args.threads) if engine == "openvino" else 1,
            args.confidence,
            only=tuple(args.only.split(",")) if args.only else (),
            outline=classified and not looks_again,  # it looks at the whole box
            one_each=looks_again,
        )
        self._find = LOCATORS[self._locator](self._setup)
        options = {"engine": engine, "device": device, "threads": args.threads}
        if not classified:
            self._classify = ScoreNames(self._find.info)
        else:
            with ThreadPoolExecutor(1) as pool:
                if isinstance(self._find, Segmenter):  # OpenCV makes its tables of colours now
                    pool.submit(self._find, np.zeros((64, 64, 3), np.uint8))
                self._classify = load_classifier(args.model, **options)
            if shared:
                self._classify.share()
        if name_by == "both":
            lying = POWERS if looks_again else FLAT
            self._classify = JointNames(self._find.info, self._classify, lying=lying)
        self._attributes = load_attributes(args.attributes, **options) if args.attributes else None
        joints = args.joints is not False and joints_tell(self._locator, args.name_by)
        self._people = _people_finder(args) if joints else None
        if "auto" in (args.engine, args.device, args.locate):
            name = self._classify.info.name
            print(f"{name}, {self._locator}, engine {engine}, device {device}", file=sys.stderr)

    def analysis(self) -> Analysis:
        """An analysis of its own for one source."""
        args, info = self._args, self._classify.info
        pace = args.latency
        if pace == "auto":
            pace = "smooth" if self._locator in SLOW else "every-frame"
        return Analysis(
            locate=self._own_locator(),
            classify=self._classify,
            track=Tracker(
                info.classes, threshold=args.threshold, associator=ASSOCIATORS[args.track]
            ),
            annotate=Annotator(info.classes, colour=args.colour),
            describe=Describer(self._attributes),
            people=People(self._people) if self._people else None,
            pace=PACES[pace](getattr(self._find, "every", SMOOTH)),
            title=f"{info.name}/{self._locator}",
        )

    def _own_locator(self) -> Locate:
        """Networks serve every source; what remembers frames is made anew."""
        if isinstance(self._find, Segmenter):
            return LOCATORS[self._locator](self._setup)
        return self._find


def open_sinks(source: Source, args: argparse.Namespace) -> list[Sink]:
    """The sinks that the flags name, open.

    Raises:
        SinkError: one cannot be written.
    """
    texts = (("jsonl", JsonlSink), ("csv", CsvSink), ("srt", SubtitleSink), ("vtt", SubtitleSink))
    sinks = [kind(path) for name, kind in texts if (path := getattr(args, name))]
    if args.out:
        sinks.append(video_or_picture(args.out, source.info, audio=not args.no_audio))
    if args.snapshots:
        sinks.append(SnapshotSink(args.snapshots))
    if args.parquet:
        sinks.append(ParquetSink(args.parquet))
    if args.crops:
        sinks.append(CropSink(args.crops))
    if args.report:
        sinks.append(ReportSink(args.report, source=Path(source.info.name).name))
    return sinks
