"""A live source that is opened again when it stalls or breaks off."""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from preprocessing.errors import BrokenSourceError, SourceError
from realtime.runtime.service import service
from realtime.runtime.worker import Prefetch, ReceiveTimeout
from realtime.sources.source import OPENING_SECONDS, TIME_BASE, LiveClock, Source
from realtime.types import Connection, Frame

STALL_SECONDS = 1.5  # without a frame, after which a source that gave some is lost
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 0.8  # seconds between attempts
QUEUE_SIZE = 2  # frames between the reading thread and the pipeline's
logger = logging.getLogger(__name__)


class ReconnectingSource:
    """A live source that survives the loss of its connection.

    Frames keep counting. Each connection begins at the time by the clock, so that a gap stays a
    gap, and goes on by its own times.

    Args:
        first: open, not yet entered.
        reopen: opens the source again.
        patience: seconds for which reopening is tried; then the source has broken off.
        opening: seconds that the source may take each time until its first frame.
    """

    def __init__(
        self,
        first: Source,
        reopen: Callable[[], Source],
        *,
        patience: float,
        opening: float = OPENING_SECONDS,
    ):
        self._link = Connection()
        self.info = replace(first.info, time_base=TIME_BASE, connection=self._link)
        self.failed = 0
        self._next: Source | None = first
        self._reopen, self._patience = reopen, patience
        self._opening = self._timeout = opening  # the second one is for the next frame

    def __enter__(self) -> "ReconnectingSource":
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._next is not None:
            self._next.__exit__(None, None, None)

    def __iter__(self) -> Iterator[Frame]:
        count, clock = 0, LiveClock(0.0)
        lost_since, pause, begun = None, FIRST_PAUSE, None
        while True:
            try:
                offset = None  # between the connection's own times and those of all
                for frame in self._connection():
                    if lost_since is not None:
                        self._log_return(time.monotonic() - lost_since)
                        lost_since, pause = None, FIRST_PAUSE
                    begun = frame.captured if begun is None else begun
                    if offset is None:
                        offset = max(frame.captured - begun, clock.seconds) - frame.time
                    pts = clock.ticks(frame.time + offset)
                    yield replace(frame, index=count, pts=pts, time_base=TIME_BASE)
                    count += 1
                reason = "ended"
            except ReceiveTimeout:
                reason = f"no picture for {self._timeout:g} s"
            except (SourceError, BrokenSourceError) as error:
                reason = str(error)
            service().alive()
            if lost_since is None:
                lost_since = time.monotonic()
                self._log_loss(reason)
            if time.monotonic() - lost_since > self._patience:
                raise BrokenSourceError(
                    f"{self.info.name} did not come back within {self._patience:g} s ({reason}); "
                    f"its {count} frames are kept, --reconnect SECONDS waits longer"
                )
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _log_loss(self, reason: str) -> None:
        self.failed += 1
        logger.warning("%s: %s; trying again for %g s", self.info.name, reason, self._patience)
        self._link.changed(lost=True, reason=reason)

    def _log_return(self, seconds: float) -> None:
        logger.warning("%s: back after %.1f s", self.info.name, seconds)
        self._link.changed(lost=False, seconds=seconds)

    def _connection(self) -> Iterator[Frame]:
        """The frames of one connection, read on a thread that is left behind if it hangs."""
        self._timeout = self._opening
        with Prefetch(self._opened(), size=QUEUE_SIZE, drop_oldest=False, join=0.0) as frames:
            for frame in frames.items(timeout=lambda: self._timeout):
                self._timeout = max(STALL_SECONDS, self.info.silence)
                yield frame

    def _opened(self) -> Iterator[Frame]:
        source, self._next = self._next, None
        with source or self._reopen() as opened:
            yield from opened
