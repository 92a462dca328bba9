"""Live analysis: each frame is drawn as it comes, the newest one is analysed meanwhile.

The stages behind the motion gate run on two threads, for one frame at a time each: one detects the
next frame's garments while the other labels those of the last. A result is carried by optical flow
through the frames since its own, so that boxes lie on what they label, and then from frame to frame
until the next result.
"""

import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial

from realtime.analysis.detection_interval import DetectionInterval
from realtime.analysis.live.latency import LatencyTrial
from realtime.analysis.live.results import Carried, Pending, Request, Result
from realtime.analysis.motion_gate import MotionGate
from realtime.analysis.optical_flow import SmallFrame
from realtime.runtime.stats import Stats
from realtime.types import Frame, LabelledFrame, Region

NICENESS = 5  # of the thread, so that decoding, drawing and encoding go first
LONGEST_SECONDS = 10.0  # of an analysis, after which frames wait: one that hangs is to be noticed
STILL_FRAMES = 4  # after which something that moved is detected where it came to rest
Detect = Callable[[Frame], list[Region]]
# Labels a frame's regions; passes on what is known before the classifier has run.
Label = Callable[[Request, list[Region], Callable[[Result], None]], Result]


class LiveAnalysis:
    """Labels every frame at once, by analyses on threads of its own. Enter it first.

    Args:
        detect, label: called on a thread each, for one frame at a time.
        waits: the first frame of each scene waits for its labels, as of files, whose frames wait.
        trial: gets the times of analyses and frames.
        start: the last frame before, from which labels are carried on.
    """

    def __init__(
        self,
        *,
        detect: Detect,
        label: Label,
        gate: MotionGate,
        interval: DetectionInterval,
        stats: Stats,
        trial: LatencyTrial,
        waits: bool,
        start: LabelledFrame | None = None,
    ):
        self._detect, self._label, self._waits = detect, label, waits
        self._gate, self._interval, self._stats = gate, interval, stats
        self._detecting, self._labelling = (
            ThreadPoolExecutor(1, thread_name_prefix=name, initializer=_step_back)
            for name in ("detect", "label")
        )
        self._pending: list[Pending] = []  # in their order, the last of them perhaps detected now
        self._carried: Carried | None = None
        self._between: list[list[Region]] = []
        self._last: Frame | None = None
        self._due = self._cut = False
        self._unseen = False  # something moved since the last analysis began
        self._still_frames, self._still_seconds = 0, 0.0
        self._trial = trial
        if start:
            regions = [garment.region for garment in start.garments]
            captured = start.detected or start.frame.captured
            self._carried = Carried(
                Result(regions, list(start.garments)),
                SmallFrame.of(start.frame.image),
                captured=captured,
            )

    def __enter__(self) -> "LiveAnalysis":
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Wait for the analyses under way."""
        self._detecting.shutdown(wait=True)
        self._labelling.shutdown(wait=True)

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
        self._trial.frame(frame.time)
        first, cut = self._last is None, self._gate.scene_cut or self._resized(frame)
        if cut:
            self._forget()
        self._count_still(frame, moved=moved)
        self._wait_if_long(frame)
        with self._stats.stage("flow"):
            news = self._follow(frame, moved=moved)
        waits = self._waits and (first or cut)
        if waits:
            self.finish()
        self._begin_if_due(frame, moved=moved, must=first or cut)
        if waits:
            self.finish()
        self._last = frame
        return self._labelled(frame, held=not (moved or waits or news))

    def finish(self) -> None:
        """Wait for the analyses under way, and raise their error if they have one."""
        for pending in self._pending:
            pending.wait()
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
        for pending in self._pending:
            pending.stale = True

    def _count_still(self, frame: Frame, *, moved: bool) -> None:
        self._unseen = self._unseen or moved
        self._still_frames = 0 if moved else self._still_frames + 1
        if not moved and self._last:
            self._still_seconds += frame.captured - self._last.captured

    def _wait_if_long(self, frame: Frame) -> None:
        for pending in self._pending:
            if frame.captured - pending.request.frame.captured > LONGEST_SECONDS:
                pending.wait()

    def _follow(self, frame: Frame, *, moved: bool) -> bool:
        """Bring the labels to this frame; return True if there are new ones."""
        if not moved:
            return self._take()
        small = SmallFrame.of(frame.image)
        detecting = [pending for pending in self._pending if pending.carried is None]
        for pending in detecting:
            pending.add(small)
        before, news = self._carried, self._take()
        if self._carried is before:  # else what is carried now was brought to this frame
            if before:
                before.move(small)
            if not detecting:
                self._between.append(self.regions)
        return news

    def _take(self) -> bool:
        """Take the newest result that there is by now; return True if it is a new one.

        Raises:
            Exception: that which the analysis raised.
        """
        news = False
        for pending in tuple(self._pending):
            if pending.done:
                self._pending.remove(pending)
                result, seconds = pending.located.result().result()
                if pending.request.regions is None:
                    self._trial.analysed(seconds)
            elif pending.early:
                result = pending.early.pop()
            else:
                continue
            if pending.carried is None:
                pending.carried = self._carry(result, pending)
            else:
                pending.carried.relabel(result)  # older labels, where another one is carried
            news = news or not pending.stale
        return news

    def _carry(self, result: Result, pending: Pending) -> Carried:
        """Bring a result to the newest frame, and draw it from now on, unless it is stale."""
        start, *since = pending.frames
        captured = pending.request.frame.captured - pending.still_seconds
        carried, between = Carried(result, start, captured=captured), []
        for frame in since:
            carried.move(frame)
            between.append(carried.regions)
        pending.frames = []
        if not pending.stale:
            self._carried, self._between = carried, between
        return carried

    def _begin_if_due(self, frame: Frame, *, moved: bool, must: bool) -> None:
        """Begin to analyse this frame if that is due, and no other one is being detected."""
        if moved:
            known = self._carried.regions if self._carried and self._carried.settled else None
            motion = partial(self._gate.motion_in, known)
            self._due = self._interval.due(must=must, motion=motion) or self._due
        rests = self._unseen and self._still_frames >= STILL_FRAMES
        if any(pending.carried is None for pending in self._pending):
            return
        if self._due or rests:
            if moved:
                del self._between[-1:]  # of this frame itself
            self._begin(frame, None)
        elif (
            not (moved or self._unseen or self._pending)
            and self._carried
            and not self._carried.settled
        ):
            self._begin(frame, self._carried.regions)  # votes again on what is there

    def _begin(self, frame: Frame, regions: list[Region] | None) -> None:
        request = Request(frame, self._cut, regions, self._between)
        pending = Pending(
            request=request,
            frames=[SmallFrame.of(frame.image)],
            still_seconds=self._still_seconds,
        )
        if regions is None:
            self._gate.mark()
        self._between, self._due, self._cut, self._unseen = [], False, False, False
        pending.located = self._detecting.submit(self._analyse, request, pending.early.append)
        self._pending.append(pending)

    def _analyse(
        self, request: Request, early: Callable[[Result], None]
    ) -> "Future[tuple[Result, float]]":
        """Detect, and let the other thread label; gives the result and the seconds of both."""
        start, regions = time.monotonic(), request.regions
        if regions is None:
            regions = self._detect(request.frame)
        spent = time.monotonic() - start

        def label() -> tuple[Result, float]:
            start = time.monotonic()
            result = self._label(request, regions, early)
            return result, spent + time.monotonic() - start

        return self._labelling.submit(label)


def _step_back() -> None:
    """Lower the priority of the calling thread, where threads have one of their own."""
    if sys.platform == "linux":
        with suppress(OSError):
            niceness = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, 0, niceness + NICENESS)
