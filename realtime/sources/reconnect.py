"""A live source that comes back: stalls are noticed, and the camera is opened again and again."""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from preprocessing.errors import BrokenSourceError, SourceError
from realtime.runtime.worker import Prefetch, Silence
from realtime.sources.live_clock import TIME_BASE, LiveClock
from realtime.types import Frame

STALL = 1.5  # seconds without a frame after which a source that gave some is lost
OPENING = 10.0  # seconds that a source may take until its first frame
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 0.8  # seconds between attempts
AHEAD = 2  # frames between the reading thread and the pipeline's


class ReconnectingSource:
    """A live source with the contract of every source, opened again where it breaks off.

    Frames keep counting, and their times are those of the clock: a gap stays a gap.

    Args:
        reopen: opens the source; the first call's is given as `first`.
        patience: seconds for which it is tried again; then it has broken off.
        tell: takes a line that says what happens.
    """

    def __init__(
        self,
        first,
        reopen: Callable[[], object],
        *,
        patience: float,
        tell: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True),
    ):
        self.info = replace(first.info, time_base=TIME_BASE)
        self.failed = 0
        self._next, self._reopen = first, reopen
        self._patience, self._tell = patience, tell
        self._waits = OPENING

    def __enter__(self) -> "ReconnectingSource":
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._next is not None:
            self._next.__exit__(None, None, None)

    def __iter__(self) -> Iterator[Frame]:
        count, clock = 0, LiveClock()
        lost_since, pause = None, FIRST_PAUSE
        while True:
            try:
                for frame in self._connection():
                    if lost_since is not None:
                        self._tell(f"{self.info.name}: back after "
                                   f"{time.monotonic() - lost_since:.1f} s")  # fmt: skip
                        lost_since, pause = None, FIRST_PAUSE
                    pts = clock.ticks(frame.captured)
                    yield replace(frame, index=count, pts=pts, time_base=TIME_BASE)
                    count += 1
                why = "ended"
            except Silence:
                why = f"no picture for {STALL:g} s"
            except (SourceError, BrokenSourceError) as error:
                why = str(error)
            if lost_since is None:
                lost_since = time.monotonic()
                self.failed += 1
                self._tell(f"{self.info.name}: {why}; trying again for {self._patience:g} s")
            if time.monotonic() - lost_since > self._patience:
                raise BrokenSourceError(
                    f"{self.info.name} did not come back within {self._patience:g} s ({why}); its "
                    f"{count} frames are kept, --reconnect SECONDS waits longer"
                )
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _connection(self) -> Iterator[Frame]:
        """The frames of one connection, read on a thread that is left behind where it hangs."""
        self._waits = OPENING
        with Prefetch(self._opened(), size=AHEAD, drop_oldest=False, join=0.0) as frames:
            for frame in frames.items(patience=lambda: self._waits):
                self._waits = STALL
                yield frame

    def _opened(self) -> Iterator[Frame]:
        source, self._next = self._next, None
        with source or self._reopen() as opened:
            yield from opened
