"""Live analysis: each frame is drawn as it comes, the newest one is analysed meanwhile.

The stages behind the motion gate, from the locator on, run on a thread of their own, for one frame
at a time. Their result is carried by optical flow through the frames since that one, so that boxes
lie on what they label, and then from frame to frame until the next result.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum

from realtime.analysis.detection_interval import DetectionInterval
from realtime.analysis.latency import LatencyTrial
from realtime.analysis.motion_gate import MotionGate
from realtime.analysis.optical_flow import OpticalFlow, SmallFrame
from realtime.runtime.stats import Stats
from realtime.types import Frame, Garment, LabelledFrame, Region

NICENESS = 5  # of the thread, so that decoding, drawing and encoding go first
STILL_FRAMES = 4  # after which something that moved is detected where it came to rest
MOST_FRAMES = 64  # that are kept from the analysed one on; of more, every other one is left out


class Beside(Enum):
    """Frames that may be drawn before their own analysis has ended."""

    NEVER = "none"
    WITHIN_A_SCENE = "all but the first of a scene"  # of a file that is shown
    ALWAYS = "all but the first of the source"


@dataclass(frozen=True, eq=False)
class Request:
    """A frame to be analysed.

    Attributes:
        scene_cut: it shows another scene than the frame that was analysed before.
        regions: those of the frame where they are known, since nothing moved; None to detect them.
        between: regions of the frames since then, frame by frame, for the tracks.
    """

    frame: Frame
    scene_cut: bool
    regions: list[Region] | None
    between: Sequence[list[Region]]


@dataclass(frozen=True, eq=False)
class Result:
    """The analysis of a frame.

    Attributes:
        regions: all that are tracked.
        garments: of each region; None for one that is none, or is not labelled yet.
        settled: the labels need no further votes while nothing moves.
    """

    regions: list[Region]
    garments: list[Garment | None]
    settled: bool = False


# Analyses a frame; passes on what is known before the classifier has run.
Analyse = Callable[[Request, Callable[[Result], None]], Result]


class Carried:
    """A result, moved along from its own frame to the newest one."""

    def __init__(self, result: Result, start: SmallFrame, *, captured: float):
        self.settled, self.captured = result.settled, captured
        self.regions, self._garments = result.regions, result.garments
        self._flow = OpticalFlow(start)

    def move(self, frame: SmallFrame) -> None:
        """Move on to the next frame; what leaves it is dropped."""
        moved = self._flow.moved(frame, self.regions)
        pairs = [
            (region, garment and replace(garment, region=region))
            for region, garment in zip(moved, self._garments, strict=True)
            if region is not None
        ]
        self.regions = [region for region, _ in pairs]
        self._garments = [garment for _, garment in pairs]

    def garments(self, *, held: bool) -> list[Garment]:
        """Those of the newest frame."""
        found = [garment for garment in self._garments if garment is not None]
        return [replace(garment, held=True) for garment in found] if held else found


@dataclass(eq=False)
class _Pending:
    """An analysis under way.

    Attributes:
        frames: from its own on.
        still_seconds: for which nothing had moved before, in all.
        early: results that it has passed on and nobody took.
        stale: another scene has come since.
    """

    request: Request
    frames: list[SmallFrame]
    still_seconds: float
    early: list[Result] = field(default_factory=list)
    future: "Future[tuple[Result, float]]" = field(default_factory=Future)
    stale: bool = False

    def add(self, frame: SmallFrame) -> None:
        self.frames.append(frame)
        if len(self.frames) > MOST_FRAMES:
            del self.frames[1:-1:2]


class LiveAnalysis:
    """Labels every frame at once, by analyses on a thread of its own. Enter it first.

    The first frame waits for its analysis, so that a picture or a short clip is labelled at all.

    Args:
        analyse: called on that thread, for one frame at a time.
        waits: wait at scene cuts too, as of files, whose frames wait.

    Attributes:
        trial: how fast analyses and frames are.
    """

    def __init__(
        self,
        analyse: Analyse,
        *,
        gate: MotionGate,
        interval: DetectionInterval,
        stats: Stats,
        waits: bool,
    ):
        self._analyse, self._gate, self._interval, self._stats = analyse, gate, interval, stats
        self._waits = waits
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="analysis", initializer=_step_back)
        self._pending: _Pending | None = None
        self._carried: Carried | None = None
        self._between: list[list[Region]] = []
        self._last: Frame | None = None
        self._due = self._cut = False
        self._unseen = False  # something moved since the last analysis began
        self._still_frames, self._still_seconds = 0, 0.0
        self.trial = LatencyTrial()

    def __enter__(self) -> "LiveAnalysis":
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Wait for the analysis under way."""
        self._pool.shutdown(wait=True)

    @property
    def regions(self) -> list[Region]:
        """Those of the last frame."""
        return self._carried.regions if self._carried else []

    def __call__(self, frame: Frame) -> LabelledFrame:
        """The frame with the newest labels.

        Raises:
            Exception: that which an analysis raised.
        """
        with self._stats.stage("gate"):
            moved = self._gate.moved(frame.image)
        self.trial.frame(frame.time)
        first, cut = self._last is None, self._gate.scene_cut or self._resized(frame)
        if cut:
            self._forget()
        self._count_still(frame, moved=moved)
        with self._stats.stage("flow"):
            news = self._follow(frame, moved=moved)
        waits = first or (cut and self._waits)
        if waits:
            self.finish()
        self._begin_if_due(frame, moved=moved, must=first or cut)
        if waits:
            self.finish()
        self._last = frame
        return self._labelled(frame, held=not (moved or waits or news))

    def finish(self) -> None:
        """Wait for the analysis under way, and raise its error if it has one."""
        self._wait()
        self._take()

    def _labelled(self, frame: Frame, *, held: bool) -> LabelledFrame:
        carried = self._carried
        if carried is None:
            return LabelledFrame(frame, [], frame.image)
        garments = carried.garments(held=held and carried.settled)
        return LabelledFrame(
            frame, garments, frame.image, detected=carried.captured + self._still_seconds
        )

    def _resized(self, frame: Frame) -> bool:
        return self._last is not None and self._last.image.shape != frame.image.shape

    def _forget(self) -> None:
        """Drop what belongs to another scene."""
        self._carried, self._between = None, []
        self._cut = self._cut or self._gate.scene_cut
        if self._pending:
            self._pending.stale = True

    def _count_still(self, frame: Frame, *, moved: bool) -> None:
        self._unseen = self._unseen or moved
        self._still_frames = 0 if moved else self._still_frames + 1
        if not moved and self._last:
            self._still_seconds += frame.captured - self._last.captured

    def _follow(self, frame: Frame, *, moved: bool) -> bool:
        """Bring the labels to this frame; return True if there are new ones."""
        if not moved:
            return self._take()
        small = SmallFrame.of(frame.image)
        if self._pending:
            self._pending.add(small)
        if self._take():
            return True
        if self._carried:
            self._carried.move(small)
        self._between.append(self.regions)
        return False

    def _take(self) -> bool:
        """Take the result that there is by now; return True if it is a new one.

        Raises:
            Exception: that which the analysis raised.
        """
        pending = self._pending
        if pending is None:
            return False
        if pending.future.done():
            self._pending = None
            result, seconds = pending.future.result()
            if pending.request.regions is None:
                self.trial.analysed(seconds)
        elif pending.early:
            result = pending.early.pop()
        else:
            return False
        if pending.stale:
            return False
        self._carry(result, pending)
        return True

    def _carry(self, result: Result, pending: _Pending) -> None:
        start, *since = pending.frames
        captured = pending.request.frame.captured - pending.still_seconds
        carried, self._between = Carried(result, start, captured=captured), []
        for frame in since:
            carried.move(frame)
            self._between.append(carried.regions)
        self._carried = carried

    def _begin_if_due(self, frame: Frame, *, moved: bool, must: bool) -> None:
        """Begin to analyse this frame if that is due, and nothing under way."""
        self._due = (moved and self._interval.due(must=must)) or self._due
        rests = self._unseen and self._still_frames >= STILL_FRAMES
        if self._pending:
            return
        if self._due or rests:
            if moved:
                del self._between[-1:]  # of this frame
            self._begin(frame, None)
        elif not (moved or self._unseen) and self._carried and not self._carried.settled:
            self._begin(frame, self._carried.regions)  # votes again on what is there

    def _begin(self, frame: Frame, regions: list[Region] | None) -> None:
        request = Request(frame, self._cut, regions, self._between)
        pending = _Pending(request, [SmallFrame.of(frame.image)], self._still_seconds)
        self._between, self._due, self._cut, self._unseen = [], False, False, False
        pending.future = self._pool.submit(_timed, self._analyse, request, pending.early.append)
        self._pending = pending

    def _wait(self) -> None:
        if self._pending:
            self._pending.future.exception()


def _timed(
    analyse: Analyse, request: Request, early: Callable[[Result], None]
) -> tuple[Result, float]:
    """A result, and the seconds that it took."""
    start = time.monotonic()
    return analyse(request, early), time.monotonic() - start


def _step_back() -> None:
    """Lower the priority of the calling thread, where threads have one of their own."""
    if sys.platform == "linux":
        with suppress(OSError):
            niceness = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, 0, niceness + NICENESS)
