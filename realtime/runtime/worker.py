"""Threads between the stages: bounded queues that pass items, and errors after them, in order."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from typing import Generic, TypeVar

FEW_CORES = 2  # up to which a codec's own threads cost more than they save
JOIN_SECONDS = 1.5  # to wait for a thread that may hang in a driver or a network read
POLL_SECONDS = 0.1  # so that signal handlers run while the main thread waits
Item = TypeVar("Item")
Result = TypeVar("Result")


def cores() -> int:
    """Return the number of CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def codec_threads() -> int:
    """Return the threads of a decoder or encoder beside the analysis; 0 leaves it to the codec."""
    return 1 if cores() <= FEW_CORES else 0


class ReceiveTimeout(Exception):
    """No item came for as long as the receiver waits."""


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
        ReceiveTimeout: it took too long, or `stopped()` is true.
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
                raise ReceiveTimeout
    except KeyboardInterrupt:
        future.cancel()
        raise
    return future.result()


class Channel(Generic[Item]):
    """A bounded queue between two threads, which either side may close.

    Args:
        size: weight of the items that it holds, which the last one may exceed.
        drop_oldest: True to drop and count the oldest item of a full channel, once the first one
            was taken, which is never dropped; False to let the sender wait. A function is asked
            again while the sender waits.
        weigh: the weight of an item.
    """

    def __init__(
        self,
        size: int,
        *,
        drop_oldest: bool | Callable[[], bool] = False,
        weigh: Callable[[Item], int] = lambda item: 1,
    ):
        self.dropped, self._taken = 0, False
        self._size, self._weigh, self._weight = size, weigh, 0
        self._may_drop = drop_oldest if callable(drop_oldest) else lambda: drop_oldest
        self._items: deque[Item] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._error: BaseException | None = None

    def send(self, item: Item) -> bool:
        """Add an item; return False if the channel is closed."""
        with self._changed:
            while self._weight >= self._size and not self._closed:
                if self._taken and self._may_drop():
                    self._pop()
                    self.dropped += 1
                else:
                    self._changed.wait(POLL_SECONDS)
            if self._closed:
                return False
            self._items.append(item)
            self._weight += self._weigh(item)
            self._changed.notify_all()
            return True

    def close(self, error: BaseException | None = None) -> None:
        """Close the channel; items sent so far are still received, then `error` is raised."""
        with self._changed:
            self._closed = True
            self._error = self._error or error
            self._changed.notify_all()

    def receive(
        self,
        stopped: Callable[[], bool] = lambda: False,
        timeout: Callable[[], float] = lambda: float("inf"),
    ) -> Iterator[Item]:
        """Yield items in order until the channel is closed and empty, or `stopped()` is true.

        Raises:
            ReceiveTimeout: none came for `timeout()` seconds.
            BaseException: the error that the channel was closed with.
        """
        since = time.monotonic()
        while not stopped():
            with self._changed:
                if not self._items and not self._closed:
                    if time.monotonic() - since > timeout():
                        raise ReceiveTimeout
                    self._changed.wait(POLL_SECONDS)
                    continue
                if not self._items:
                    break
                item, self._taken = self._pop(), True
                self._changed.notify_all()
            yield item
            since = time.monotonic()
        if self._error is not None and not stopped():
            raise self._error

    def _pop(self) -> Item:
        item = self._items.popleft()
        self._weight -= self._weigh(item)
        return item


class Prefetch(Generic[Item]):
    """Iterates a source on its own thread, `size` items ahead.

    Args:
        size, drop_oldest, weigh: see `Channel`.
        join: seconds to wait at the end for a read that is under way.
    """

    def __init__(
        self,
        source: Iterable[Item],
        *,
        size: int,
        drop_oldest: bool | Callable[[], bool],
        weigh: Callable[[Item], int] = lambda item: 1,
        join: float = JOIN_SECONDS,
    ):
        self._source, self._join = source, join
        self._channel: Channel[Item] = Channel(size, drop_oldest=drop_oldest, weigh=weigh)
        self._thread = threading.Thread(target=self._fill, name="prefetch", daemon=True)

    @property
    def dropped(self) -> int:
        """Items dropped because they were not taken in time."""
        return self._channel.dropped

    @property
    def running(self) -> bool:
        """True while the source is read; still after leaving if a read hangs."""
        return self._thread.is_alive()

    def __enter__(self) -> "Prefetch[Item]":
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._channel.close()
        # A read that blocks in a driver cannot be cancelled: the daemon thread is left behind.
        self._thread.join(self._join)

    def items(
        self,
        stopped: Callable[[], bool] = lambda: False,
        timeout: Callable[[], float] = lambda: float("inf"),
    ) -> Iterator[Item]:
        """Yield the source's items, then raise its exception, if any; see `Channel.receive`."""
        return self._channel.receive(stopped, timeout)

    def _fill(self) -> None:
        error = None
        try:
            for item in self._source:
                if not self._channel.send(item):
                    break
        except BaseException as problem:  # raised again by items(), in the caller's thread
            error = problem
        self._channel.close(error)
        self._source = ()  # a generator closes here, on the thread that ran it


class WriteBehind(Generic[Item]):
    """Calls `deliver(item)` on its own thread, in order, at most `size` items behind."""

    def __init__(self, deliver: Callable[[Item], None], *, size: int):
        self._deliver = deliver
        self._channel: Channel[Item] = Channel(size)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._drain, name="write-behind", daemon=True)

    def __enter__(self) -> "WriteBehind[Item]":
        self._thread.start()
        return self

    def __exit__(self, kind: type | None, problem: BaseException | None, trace: object) -> None:
        self._channel.close()
        self._thread.join()
        # Also during a stop: a disk that fills during the last frames must be reported.
        if self._error is not None and self._error is not problem:
            raise self._error

    def send(self, item: Item) -> None:
        """Queue an item.

        Raises:
            Exception: that which `deliver` raised for an earlier item.
        """
        if not self._channel.send(item) and self._error is not None:
            raise self._error

    def _drain(self) -> None:
        try:
            for item in self._channel.receive():
                self._deliver(item)
        except BaseException as problem:  # raised again by send() or on leaving
            self._error = problem
            self._channel.close()


class Background:
    """Runs `work()` on its own thread; it is to end soon after `stopped()` turns true.

    Attributes:
        error: the exception that ended the work, if any.
    """

    def __init__(self, work: Callable[[], None], *, name: str):
        self._work = work
        self._stop = threading.Event()
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def running(self) -> bool:
        """True while the work runs."""
        return self._thread.is_alive()

    def stopped(self) -> bool:
        """True once the work is asked to end."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Ask the work to end, and wait for it."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as problem:  # the caller decides
            self.error = problem
