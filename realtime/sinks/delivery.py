"""Passes labelled frames to the sinks, each on a thread of its own: one that stalls, because of the
reader of a pipe, a client or a disk, holds up itself alone.

| a sink | of a file | of a live source |
|---|---|---|
| is behind | is waited for | loses frames; the video is waited for |
| stalls for STALL_SECONDS | loses frames if it is a pipe or client beside others | loses frames |
| cannot write for now | is tried again, but the video, which ends the run | the same |

Where there is no video, the first sink counts as such.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path

from preprocessing.errors import ClosedPipeError, SinkError, printable
from realtime.runtime.hanging import Deadline, OverdueError, call_within
from realtime.runtime.masking import masked
from realtime.runtime.stats import Stats
from realtime.runtime.worker import STALL_SECONDS, WriteBehind
from realtime.sinks.destinations import OPENING_SECONDS, is_file_like
from realtime.sinks.sink import Sink
from realtime.sinks.video import VideoSink
from realtime.types import LabelledFrame, SourceInfo

WAITING_FRAMES = 8  # that a sink may be behind
WAITING_BYTES = 128_000_000  # of frames by which others than the video may be behind a live source
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds between attempts of a sink that cannot write
logger = logging.getLogger(__name__)


@contextmanager
def delivering(
    sinks: Sequence[Sink], info: SourceInfo, stats: Stats, *, stopped: Callable[[], bool]
) -> Iterator[Callable[[LabelledFrame], None]]:
    """Open sinks in order, give a function that passes a frame to all, and close them on leaving.

    Args:
        stopped: asked while sinks are waited for.

    Raises:
        SinkError: one does not open, cannot be written any more, or lacks its last frames.
    """
    videos = (sink for sink in sinks if isinstance(sink, VideoSink))
    needed = next(chain(videos, sinks), None)
    deliveries: list[Delivery] = []

    def deliver(labelled: LabelledFrame) -> None:
        if not deliveries:
            stats.frame_written()
        for delivery in deliveries:
            delivery.send(labelled, stopped)

    problem: BaseException | None = None
    try:
        for sink in sinks:
            one = Delivery(sink, stats, live=info.live, needed=sink is needed, alone=not sinks[1:])
            one.open(info, stopped)
            deliveries.append(one)
        stats.start()
        yield deliver
    except BaseException as error:
        problem = error
        raise
    finally:
        _finish(deliveries, problem, stopped)


def _finish(
    deliveries: "Sequence[Delivery]",
    problem: BaseException | None,
    stopped: Callable[[], bool],
) -> None:
    """Let all of them end, and raise the first of their errors unless one is raised already."""
    for delivery in deliveries:
        delivery.end(complete=problem is None)
    hurried = problem is not None
    joined = [delivery.join(lambda: hurried or stopped()) for delivery in deliveries]
    errors = [error for error in joined if error is not None]
    if errors and not isinstance(problem, SinkError):
        raise errors[0]


class Delivery:
    """One sink on a thread of its own.

    Args:
        live: True if frames do not wait.
        needed: True for the video, or the first sink where there is none: its frames are counted as
            written, and its failure ends the run.
        alone: True if no other sink waits for it.
    """

    def __init__(self, sink: Sink, stats: Stats, *, live: bool, needed: bool, alone: bool):
        self._sink, self._stats = sink, stats
        self._counts, self._needed = needed, needed or isinstance(sink, VideoSink)
        self._impatient = live and not self._needed and not may_drop(sink)
        # A file's frames wait, unless other outputs would wait for somebody who reads this one.
        self._patient = (
            alone or may_drop(sink) or (not live and (self._needed or not _is_read(sink)))
        )
        self._live = live
        self._not_sent = self._not_taken = 0  # counted on the caller's thread, and on the sink's
        self._behind = self._told = False
        self._pause, self._due = FIRST_PAUSE, 0.0
        self._failure = ""  # of the last attempt
        size, weigh = WAITING_FRAMES, lambda labelled: 1
        if self._impatient:
            size, weigh = WAITING_BYTES, _bytes
        self._thread = WriteBehind(
            self._write, size=size, drop_oldest=may_drop(sink), weigh=weigh, finish=self._close
        )

    @property
    def name(self) -> str:
        """The sink in messages."""
        return printable(masked(str(getattr(self._sink, "target", type(self._sink).__name__))))

    def open(self, info: SourceInfo, stopped: Callable[[], bool]) -> None:
        """Open the sink, and start its thread.

        Raises:
            SinkError: it does not open, or takes too long to.
        """
        deadline = Deadline(OPENING_SECONDS)
        try:
            call_within(
                deadline, lambda: self._sink.open(info), late=self._close_late, stopped=stopped
            )
        except OverdueError:
            if not deadline.over:
                raise SinkError(f"{self.name} did not open before the end") from None
            raise SinkError(f"{self.name} does not open within {deadline.seconds:g} s: its server "
                            "or disk does not answer") from None  # fmt: skip
        self._thread.__enter__()

    def send(self, labelled: LabelledFrame, stopped: Callable[[], bool]) -> None:
        """Pass a frame on, or leave it out where nothing may wait for this sink.

        Raises:
            Exception: that which ended the sink.
        """
        if self._thread.send(labelled, partial(self._gives_up, stopped)):
            self._behind = False
            return
        self._behind = True
        self._tell("it does not keep up: frames are left out of it, the others go on")
        self._not_sent += 1
        self._count()

    def _gives_up(self, stopped: Callable[[], bool]) -> bool:
        stalls = self._thread.idle > STALL_SECONDS
        if not self._patient:
            return self._behind or self._impatient or stalls
        if stalls:
            self._tell("nothing is taken any more, by its reader or its disk: it is waited for")
        return stalls and stopped()

    def _tell(self, words: str) -> None:
        """Warn once a run."""
        if not self._told:
            logger.warning("%s: %s", self.name, words)
        self._told = True

    def end(self, *, complete: bool) -> None:
        """Let the sink take what waits, and close it."""
        self._thread.end(complete=complete)

    def join(self, give_up: Callable[[], bool]) -> BaseException | None:
        """Wait for the end, and return the error that the sink ended with.

        Args:
            give_up: asked when a file's sink stalls; false to wait all the same.
        """
        if not self._thread.join(lambda: self._live or not self._patient or give_up()):
            self._not_sent += self._thread.waiting
            return SinkError(f"{self.name} takes nothing any more: it lacks the last frames "
                             f"({self._count()} in all); its reader or disk stalls")  # fmt: skip
        count = self._count()
        if self._failure:
            return SinkError(f"{self._failure}; {count} frames are not in it")
        if count:
            logger.warning("%s lacks %d frames", self.name, count)
        return self._thread.error

    def _count(self) -> int:
        """Record the frames that are left out so far."""
        count = self._not_sent + self._not_taken
        if count:
            self._stats.left_out[self.name] = count
        return count

    def _write(self, labelled: LabelledFrame) -> None:
        if time.monotonic() < self._due:
            self._not_taken += 1
            return
        try:
            with self._stats.stage("write"):
                self._sink.write(labelled)
        except ClosedPipeError:
            raise
        except (SinkError, OSError, MemoryError) as error:
            if self._needed:
                raise
            self._put_off(error)
            return
        self._failure, self._pause = "", FIRST_PAUSE
        if self._counts:
            self._stats.frame_written()

    def _put_off(self, error: Exception) -> None:
        """Try again later: descriptors, memory or space may be there again."""
        reason = error if isinstance(error, SinkError) else f"cannot write {self.name} ({error!r})"
        if not self._failure:
            logger.warning("%s: tried again, the others go on", reason)
        self._failure = str(reason)
        self._due = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        self._not_taken += 1

    def _close(self, complete: bool) -> None:
        self._sink.close(complete=complete)

    def _close_late(self, _: None) -> None:
        self._close(complete=False)


def _bytes(labelled: LabelledFrame) -> int:
    """Those of a frame's pictures, of large ones so many that WAITING_FRAMES may wait."""
    image, picture = labelled.frame.image, labelled.picture
    size = image.nbytes + (0 if picture is image else picture.nbytes)
    return min(size, WAITING_BYTES // WAITING_FRAMES)


def _is_read(sink: Sink) -> bool:
    """True for a pipe, a device or a server, which somebody reads meanwhile."""
    target = getattr(sink, "target", None)
    if isinstance(target, Path):
        return not (target.is_dir() or is_file_like(target))
    return isinstance(target, str)


def may_drop(sink: Sink) -> bool:
    """True for a sink that is to show the newest frames, and may leave older ones out."""
    return bool(getattr(sink, "newest", False))
