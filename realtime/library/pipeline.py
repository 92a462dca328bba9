"""The pipeline: source -> analysis -> annotator -> sinks and window.

`analysis/frame_analysis.py` lists the stages of the analysis. Decoding and the sinks run on threads
of their own; so does the locator, several frames ahead, when no one waits for a frame, as with
files; and the whole analysis beside the frames of live sources, windows and pages.
"""

import logging
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Protocol

import cv2

from preprocessing.errors import ClosedPipeError, SinkError
from realtime.analysis.zones.drawing import draw_areas
from realtime.analysis.zones.watch import Watch
from realtime.runtime.stats import Stats
from realtime.runtime.worker import FEW_CORES, Prefetch, cores
from realtime.sinks.annotate import Annotator
from realtime.sinks.delivery import delivering, may_drop
from realtime.sinks.events.json_lines import EventSink
from realtime.sinks.sink import Sink
from realtime.sinks.video import VideoSink
from realtime.sources.geometry import letterboxed
from realtime.sources.pacing import Pacer
from realtime.sources.source import Source
from realtime.types import Beside, Frame, LabelledFrame, SourceInfo

DECODED_FRAMES = 8  # that wait for the analysis
logger = logging.getLogger(__name__)
HUD_SECONDS = 0.25  # between changes of the HUD, so that it can be read


class Stopped(Exception):
    """The run was ended before its source: sinks then leave out what belongs to later frames."""


def ended_whole(error: BaseException, info: SourceInfo, stats: Stats) -> bool:
    """True if the user ended a run that has no other end: of a live source, once it gave frames.

    So does who reads from a pipe and takes no more.
    """
    return isinstance(error, Stopped | ClosedPipeError) and info.live and stats.written > 0


class Analyser(Protocol):
    """The part of a `FrameAnalysis` that `run` needs.

    Attributes:
        annotator: draws the labels.
        title: of the HUD, e.g. "deep/segment".
    """

    @property
    def annotator(self) -> Annotator: ...
    @property
    def title(self) -> str: ...

    def analysed(
        self, frames: Iterable[Frame], stats: Stats, *, concurrent: bool, beside: Beside
    ) -> Iterator[LabelledFrame]:
        """Yield frames with their garments, in order; see `FrameAnalysis.analysed`."""
        ...


class Overlay:
    """Draws the labels, and the HUD: true FPS, latency, model, dropped frames.

    Args:
        speed: False to draw the model alone, which is the same in every run.
    """

    def __init__(self, analysis: Analyser, *, speed: bool = True):
        self._analysis, self._speed = analysis, speed
        self._text, self._due = "" if speed else analysis.title, 0.0

    def __call__(self, labelled: LabelledFrame, stats: Stats) -> LabelledFrame:
        """Return the frame with a picture of its own."""
        with stats.stage("draw"):
            image, garments = labelled.frame.image, labelled.garments
            picture = self._analysis.annotator(image, garments, self._hud(stats))
            if labelled.areas:
                draw_areas(picture, labelled.areas)
            return replace(labelled, picture=picture)

    def _hud(self, stats: Stats) -> str:
        """The current text, renewed a few times a second."""
        now = time.monotonic()
        if self._speed and now >= self._due:
            self._due = now + HUD_SECONDS if stats.fps else now
            self._text = (
                f"{stats.fps:.0f} fps  {1000 * stats.latency:.0f} ms  {self._analysis.title}  "
                f"dropped {stats.dropped}"
            )
        return self._text


def run(
    source: Source,
    analysis: Analyser,
    sinks: Sequence[Sink],
    *,
    stats: Stats,
    stopped: Callable[[], bool],
    progress: Callable[[int], None],
    show: Callable[[LabelledFrame, Callable[[], bool]], bool] | None = None,
    speed: bool = True,
    watch: Watch | None = None,
) -> None:
    """Pass every frame of an entered source through the analysis into the sinks.

    Files never lose a frame; of live sources the oldest waiting frame is dropped and counted, of
    streams, whose packets wait, only while the analysis is behind. The sinks are opened first and
    closed at the end, however that comes; each of them has a thread of its own.

    Args:
        stopped: True once the run shall end; asked between frames.
        progress: called with the number of frames done.
        show: of a window, called with `stopped`; returns False if the user quits.
        speed: True to draw the speed of the run into the pictures.
        watch: of the zones, for which events are found; None to find none.

    Raises:
        Stopped: the run was ended by `stopped` or `show`; every frame so far is delivered.
        GarmentError: the source broke off, or a sink failed; every frame so far is kept.
    """
    if cores() <= FEW_CORES:
        cv2.setNumThreads(1)  # the stages fill the cores; OpenCV's own threads would compete
    draws = show or any(sink.needs_picture for sink in sinks)
    beside = _beside(source.info, sinks, shown=show is not None)
    overlay = Overlay(analysis, speed=speed)
    if watch:
        watch.open(source.info)
    # A video has one size: so have the frames that it shows, and the boxes in the rows beside it.
    one_size = any(isinstance(sink, VideoSink) for sink in sinks)
    with (
        delivering(sinks, source.info, stats, stopped=stopped) as deliver,
        analysing(source, analysis, stats=stats, stopped=stopped, one_size=one_size,
                  shown=show is not None, beside=beside) as frames,
        _connection_watched(source.info, watch, sinks),
    ):  # fmt: skip
        for labelled in frames:
            if watch:
                labelled = _watched(labelled, watch, stats)
            if draws:
                labelled = overlay(labelled, stats)
            stats.frame_analysed(labelled.frame.captured, labelled.detected)
            deliver(labelled)
            progress(labelled.frame.index + 1)
            if show and not show(labelled, stopped):
                raise Stopped
        if stopped():
            raise Stopped


@contextmanager
def _connection_watched(
    info: SourceInfo, watch: Watch | None, sinks: Sequence[Sink]
) -> Iterator[None]:
    """Tell who takes events at once when the source is lost, and when it is back."""
    receivers = [sink for sink in sinks if isinstance(sink, EventSink)]

    def listener(lost: bool, seconds: float | None, reason: str) -> None:
        assert watch is not None, "nobody listens without"
        event = watch.source_changed(lost=lost, seconds=seconds, reason=reason)
        for sink in receivers:
            try:
                sink.publish(event)
            except SinkError as error:
                logger.warning("%s", error)

    if info.connection is None or watch is None or not receivers:
        yield
        return
    info.connection.listener = listener
    try:
        yield
    finally:
        info.connection.listener = None


def _watched(labelled: LabelledFrame, watch: Watch, stats: Stats) -> LabelledFrame:
    """The frame with its events and counts, which the figures of the run have as well."""
    with stats.stage("zones"):
        labelled = watch(labelled)
    stats.areas = labelled.areas
    return labelled


@contextmanager
def analysing(
    source: Source,
    analysis: Analyser,
    *,
    stats: Stats,
    stopped: Callable[[], bool],
    one_size: bool = False,
    shown: bool = False,
    beside: Beside = Beside.NEVER,
) -> Iterator[Iterator[LabelledFrame]]:
    """Decode an entered source on a thread of its own; give its frames with their garments.

    Args:
        stopped: True to give no more; asked between frames.
        one_size: letterbox frames of another size than the first.
        shown: somebody watches, so that no frame waits for the ones behind it.
        beside: frames that may come before their own analysis has ended.

    Raises:
        GarmentError: the source broke off; its frames so far were given.
    """
    live = source.info.live
    given = _at_one_size(source, source.info) if one_size else source
    read, pacer = _timed(given, stats), Pacer() if source.info.buffered else None
    with Prefetch(
        pacer.paced(read) if pacer else read,
        size=1 if live else DECODED_FRAMES,
        drop_oldest=pacer.may_drop if pacer else live,
    ) as decoded:

        def labelled() -> Generator[LabelledFrame, None, None]:
            frames = decoded.items(stopped)
            frames = pacer.timed(frames) if pacer else frames
            for one in analysis.analysed(
                frames, stats, concurrent=not (live or shown), beside=beside
            ):
                stats.dropped = decoded.dropped
                yield one

        try:
            with closing(labelled()) as frames:
                yield frames
        finally:
            stats.dropped, stats.failed = decoded.dropped, source.failed


def _beside(info: SourceInfo, sinks: Sequence[Sink], *, shown: bool) -> Beside:
    """Which frames are drawn before their own analysis has ended: of files that are kept, none."""
    if info.live:
        return Beside.ALWAYS
    kept = not all(map(may_drop, sinks))
    return Beside.WITHIN_A_SCENE if (shown or sinks) and not kept else Beside.NEVER


def _at_one_size(frames: Iterable[Frame], info: SourceInfo) -> Iterator[Frame]:
    """The frames, those of another size than the first letterboxed into it."""
    for frame in frames:
        image = letterboxed(frame.image, width=info.width, height=info.height)
        yield frame if image is frame.image else replace(frame, image=image)


def _timed(source: Iterable[Frame], stats: Stats) -> Iterator[Frame]:
    """The source's frames, each one's decoding time recorded and counted as read."""
    frames = iter(source)
    while True:
        start = time.perf_counter()
        frame = next(frames, None)
        if frame is None:
            return
        stats.add("decode", time.perf_counter() - start)
        stats.read += 1
        yield frame
