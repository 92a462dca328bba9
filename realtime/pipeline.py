"""The loop: source -> locate -> track -> classify -> annotate -> sinks.

Decoding and the sinks run beside the analysis, on the threads of worker.py; so do the locators
of the next frames where nobody waits for a frame, as with files.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from preprocessing.errors import GarmentError
from realtime.analysis.classifier import Classifier
from realtime.analysis.colour_and_attributes import Describer
from realtime.analysis.detection_interval import DetectionInterval, EveryFrame
from realtime.analysis.locators import Locator
from realtime.analysis.motion_gate import MotionGate
from realtime.analysis.optical_flow import Follower
from realtime.analysis.pose_tracker import People
from realtime.analysis.tracker import Tracker
from realtime.runtime.stats import Stats
from realtime.runtime.worker import FEW_CORES, Outbox, Prefetch, cores
from realtime.sinks.annotate import Annotator
from realtime.sinks.sink import Sink
from realtime.sinks.window import Window
from realtime.sources.open_source import Source
from realtime.types import Frame, Garment, Region

AHEAD = 8  # decoded frames that wait for the analysis
BEHIND = 8  # analysed frames that wait for the sinks
HUD_SECONDS = 0.25  # how often the figures on the frame change, so that they can be read


class Stopped(Exception):
    """The run was ended before its source: sinks then leave out what belongs to later frames."""


Found = tuple[list[Region], float]  # and the seconds that it took
Submit = Callable[..., "Future[Found]"]


def at_once(call: Callable[..., Found], *args: object) -> "Future[Found]":
    """What an executor's `submit` does, in the caller's own thread."""
    future: Future[Found] = Future()
    future.set_result(call(*args))
    return future


@dataclass(frozen=True, eq=False)
class Look:
    """What was begun for a frame.

    Attributes:
        moved: something did since the last frame that moved.
        found: what the locator finds, perhaps still to come; None where it does not look.
        cut: the frame shows another scene than the one before.
    """

    frame: Frame
    moved: bool
    found: "Future[Found] | None"
    cut: bool


@dataclass(eq=False)
class Analysis:
    """What is done to every frame, with `title` for the HUD, e.g. "deep/segment".

    Call it with a frame, or `begin` several before each is finished, in order.
    """

    locate: Locator
    classify: Classifier
    track: Tracker
    annotate: Annotator
    title: str
    describe: Describer = field(default_factory=Describer)
    people: People | None = None
    gate: MotionGate = field(default_factory=MotionGate)
    pace: DetectionInterval = field(default_factory=EveryFrame)
    follow: Follower = field(default_factory=Follower)
    _begun: bool = False
    _regions: list[Region] = field(default_factory=list)  # of the last frame that moved
    _held: list[Garment] | None = None  # what stands while nothing moves; None before names settle

    def __call__(self, frame: Frame, stats: Stats) -> list[Garment]:
        """The frame's garments; those of the last frame where nothing moved since."""
        return self.finish(self.begin(frame, stats), stats)

    @property
    def streams(self) -> int:
        """Frames that the locator looks at side by side."""
        return self.locate.streams

    @property
    def ahead(self) -> int:
        """Frames to begin before one is finished, so that the locator always has work.

        None on few cores for a locator that looks at one frame at a time: handing over costs more.
        """
        alone = self.streams == 1 and cores() <= FEW_CORES
        return 0 if alone else self.streams * self.pace.every

    def begin(self, frame: Frame, stats: Stats, submit: Submit = at_once) -> Look:
        """Start to look for a frame's garments, with an executor's `submit`."""
        with stats.stage("gate"):
            moved = self.gate.moved(frame.image)
        fresh = moved and self.pace.due(must=self.gate.cut or not self._begun)
        self._begun = True
        found = submit(self._look, frame.image) if fresh else None
        return Look(frame, moved, found, self.gate.cut)

    def finish(self, look: Look, stats: Stats) -> list[Garment]:
        """The garments of the frame begun least recently."""
        if look.cut:
            self.track.cut()
        if not look.moved and self._held is not None:
            return [replace(garment, held=True) for garment in self._held]
        if look.found:
            self._regions, seconds = look.found.result()
            self.pace.detected(seconds)
            if self.pace.every != 1:
                self.follow.see(look.frame.image)
            stats.add("locate", seconds)
        elif look.moved:
            with stats.stage("locate"):
                self._regions = self.follow(look.frame.image, self._regions)
        # Where nothing moved but names have not settled yet, they are voted for again.
        looked = look.found is not None or not look.moved
        garments, settled = self._named(look.frame, self._regions, stats, looked=looked)
        self._held = garments if settled else None
        return garments

    def _look(self, image: np.ndarray) -> Found:
        start = time.monotonic()
        return self.locate(image), time.monotonic() - start

    def _named(
        self, frame: Frame, regions: list[Region], stats: Stats, *, looked: bool
    ) -> tuple[list[Garment], bool]:
        """The frame's garments, and whether their names are settled; votes where it was looked."""
        with stats.stage("track"):
            tracks = self.track(regions)
        due = [track for track in tracks if looked and track.due]
        due_regions = [track.region for track in due]
        if self.people:
            with stats.stage("people"):
                due_regions = self.people(frame.image, due_regions)
        with stats.stage("classify"):
            probabilities = self.classify(frame.image, due_regions)
            for track, row in zip(due, probabilities, strict=True):
                track.vote(row)
        with stats.stage("describe"):
            self.describe(frame.image, tracks if looked else [])
        garments = [track.garment(self.describe.attributes(track.description)) for track in tracks]
        return garments, all(track.settled for track in tracks)


class Hud:
    """The line on the frame: true FPS, latency, model, dropped frames."""

    def __init__(self, analysis: "Analysis"):
        self._analysis = analysis
        self._text, self._due = "", 0.0

    def __call__(self, stats: Stats) -> str:
        """The current text, renewed a few times a second."""
        now = time.monotonic()
        if now >= self._due:
            self._due = now + HUD_SECONDS if stats.fps else now
            self._text = (
                f"{stats.fps:.0f} fps  {1000 * stats.latency:.0f} ms  {self._analysis.title}  "
                f"dropped {stats.dropped}"
            )
        return self._text


def run(
    source: Source,
    analysis: Analysis,
    sinks: list[Sink],
    *,
    window: Window | None,
    stats: Stats,
    stopped: Callable[[], bool],
    progress: Callable[[int], None],
) -> None:
    """Pass every frame of an open source through the analysis into the open sinks.

    Sinks that have a `see` get every frame there as well, before anything is drawn on it. Files
    never lose a frame; of live sources the oldest waiting frame is dropped and counted.

    Raises:
        Stopped: `stopped()` turned true or the window was closed; every frame so far is delivered.
        GarmentError: the source broke off, or a sink failed; what was analysed is kept.
    """
    if cores() <= FEW_CORES:
        cv2.setNumThreads(1)  # the stages fill the cores; OpenCV's own threads wait in their way
    hud = Hud(analysis)
    deliver = _deliver_to(sinks, stats)
    watchers = [sink.see for sink in sinks if hasattr(sink, "see")]
    ahead = 0 if source.info.live or window else analysis.ahead
    with ExitStack() as stack:
        outbox = stack.enter_context(Outbox(deliver, size=BEHIND))
        frames = stack.enter_context(
            Prefetch(
                _timed(source, stats),
                size=1 if source.info.live else AHEAD,
                drop_oldest=source.info.live,
            )
        )
        try:
            for frame, garments in _analysed(analysis, frames.items(stopped), stats, ahead=ahead):
                stats.dropped = frames.dropped
                for watch in watchers:
                    watch(frame, garments)
                with stats.stage("draw"):
                    analysis.annotate(frame.image, garments, hud(stats))
                stats.frame_analysed(frame.captured)
                outbox.send((frame, garments))
                progress(frame.index + 1)
                if window and not window.show(frame, stopped):
                    raise Stopped
            if stopped():
                raise Stopped
        finally:
            stats.dropped, stats.failed = frames.dropped, source.failed


def _analysed(
    analysis: Analysis, frames: Iterable[Frame], stats: Stats, *, ahead: int
) -> Iterator[tuple[Frame, list[Garment]]]:
    """Frames and their garments in order, `ahead` more frames begun than finished."""
    if not ahead:
        yield from ((frame, analysis(frame, stats)) for frame in frames)
        return
    begun: deque[Look] = deque()
    frames, problem = iter(frames), None
    with ThreadPoolExecutor(analysis.streams, thread_name_prefix="locate") as pool:
        while True:
            try:
                frame = next(frames, None)
            except GarmentError as error:
                frame, problem = None, error  # what came before it is still delivered
            if frame is not None:
                begun.append(analysis.begin(frame, stats, pool.submit))
            while begun and (frame is None or len(begun) > ahead):
                yield begun[0].frame, analysis.finish(begun.popleft(), stats)
            if frame is None:
                break
    if problem:
        raise problem


def _deliver_to(sinks: list[Sink], stats: Stats) -> Callable[[tuple[Frame, list[Garment]]], None]:
    def deliver(item: tuple[Frame, list[Garment]]) -> None:
        with stats.stage("write"):
            for sink in sinks:
                sink.write(*item)
        stats.frame_written()

    return deliver


def _timed(source: Source, stats: Stats) -> Iterator[Frame]:
    """The source's frames, each one's decoding time noted and counted as read."""
    frames = iter(source)
    while True:
        start = time.perf_counter()
        frame = next(frames, None)
        if frame is None:
            return
        stats.add("decode", time.perf_counter() - start)
        stats.read += 1
        yield frame
