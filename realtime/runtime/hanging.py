"""Calls and threads that may hang in a driver, a network read or a write: how long they are waited
for.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from typing import TypeVar

POLL_SECONDS = 0.1  # so that signal handlers run while the main thread waits
BUSY_SECONDS = 0.05  # of processor time that are progress; who polls a socket uses less
Result = TypeVar("Result")


class OverdueError(Exception):
    """A call took longer than it may."""


class Deadline:
    """A time by which something has to be done.

    Attributes:
        seconds: from the start, or the last progress, until then.
    """

    def __init__(self, seconds: float):
        self.seconds = seconds
        self.renew()

    def renew(self) -> None:
        """Count the seconds anew, since there was progress."""
        self._end = time.monotonic() + self.seconds

    @property
    def over(self) -> bool:
        """True once it has passed."""
        return time.monotonic() > self._end


def call_within(
    deadline: Deadline,
    work: Callable[[], Result],
    *,
    late: Callable[[Result], object],
    stopped: Callable[[], bool] = lambda: False,
) -> Result:
    """Return what a function returns that may hang in a driver or in a network read.

    It runs on a daemon thread, which is left behind where it hangs.

    Args:
        late: called there with a result that came too late for anybody.
        stopped: asked while it runs; true ends the wait.

    Raises:
        OverdueError: it took too long, or `stopped()` is true.
        BaseException: that which the function raised.
    """
    future: Future[Result] = Future()

    def run() -> None:
        try:
            result = work()
        except BaseException as problem:  # raised again in the caller's thread
            if future.set_running_or_notify_cancel():
                future.set_exception(problem)
            return
        if future.set_running_or_notify_cancel():
            future.set_result(result)
        else:
            late(result)

    threading.Thread(target=run, name="opening", daemon=True).start()
    try:
        while not future.done():
            wait((future,), POLL_SECONDS)
            if (deadline.over or stopped()) and future.cancel():
                raise OverdueError
    except KeyboardInterrupt:
        future.cancel()
        raise
    return future.result()


class Activity:
    """Progress of a thread, or the lack of it: it may stall in a write, a lock or a driver.

    It gets on while it finishes things, or uses the processor: of its own where the system says so,
    else of the whole process.
    """

    def __init__(self) -> None:
        self._clock: int | None = None
        self._since: float | None = None  # of the last progress; None while nothing is to be done
        self._used = 0.0

    def begin(self) -> None:
        """Take the calling thread for the one that is meant."""
        if hasattr(time, "pthread_getcpuclockid"):
            self._clock = time.pthread_getcpuclockid(threading.get_ident())

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Count the block as something to be done."""
        self._used, self._since = self._processor(), time.monotonic()
        try:
            yield
        finally:
            self._since = None

    @property
    def idle(self) -> float:
        """Seconds without progress, while something is to be done; else 0."""
        since, used = self._since, self._processor()
        if since is None:
            return 0.0
        if used - self._used > BUSY_SECONDS:
            self._used, self._since = used, time.monotonic()
            return 0.0
        return time.monotonic() - since

    def _processor(self) -> float:
        if self._clock is None:
            return time.process_time()
        try:
            return time.clock_gettime(self._clock)
        except OSError:  # the thread has ended
            return 0.0
