"""Threads between the stages: bounded queues that pass items, and errors after them, in order."""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from realtime.runtime.hanging import POLL_SECONDS, Activity

FEW_CORES = 2  # up to which a codec's own threads cost more than they save
JOIN_SECONDS = 1.5  # to wait for a thread that may hang in a driver or a network read
STALL_SECONDS = 5.0  # without any progress, after which nobody waits for a thread at the end
HANG_SECONDS = 10.0  # in which the whole process does nothing while it waits for such threads
Item = TypeVar("Item")
logger = logging.getLogger(__name__)


def cores() -> int:
    """Return the number of CPU cores that this process may use."""
    return len(core_numbers())


def core_numbers() -> list[int]:
    """Return the CPU cores that this process may use, in order."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def codec_threads() -> int:
    """Return the threads of a decoder or encoder beside the analysis; 0 leaves it to the codec."""
    return 1 if cores() <= FEW_CORES else 0


class ReceiveTimeout(Exception):
    """No item came for as long as the receiver waits."""


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

    def send(self, item: Item, give_up: Callable[[], bool] = lambda: False) -> bool:
        """Add an item; return False if the channel is closed, or full and `give_up()` is true."""
        with self._changed:
            while self._weight >= self._size and not self._closed:
                if self._taken and self._may_drop():
                    self._pop()
                    self.dropped += 1
                elif give_up():
                    return False
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
    """Calls `deliver(item)` on its own thread, in order, at most `size` items behind.

    Args:
        size, drop_oldest, weigh: see `Channel`.
        finish: called there at the end, with False if that came early, also after an error.

    Attributes:
        error: the first exception of `deliver` or `finish`, if any.
        waiting: items that were sent, and not delivered yet.
    """

    def __init__(
        self,
        deliver: Callable[[Item], None],
        *,
        size: int,
        drop_oldest: bool = False,
        weigh: Callable[[Item], int] = lambda item: 1,
        finish: Callable[[bool], None] = lambda complete: None,
    ):
        self._deliver, self._finish, self._complete = deliver, finish, False
        self._channel: Channel[Item] = Channel(size, drop_oldest=drop_oldest, weigh=weigh)
        self._activity = Activity()
        self.error: BaseException | None = None
        self._sent = self._done = 0
        self._thread = threading.Thread(target=self._drain, name="write-behind", daemon=True)

    def __enter__(self) -> "WriteBehind[Item]":
        self._thread.start()
        return self

    def __exit__(self, kind: type | None, problem: BaseException | None, trace: object) -> None:
        self.end(complete=kind is None)
        self.join()
        # Also during a stop: a disk that fills during the last frames must be reported.
        if self.error is not None and self.error is not problem:
            raise self.error

    @property
    def waiting(self) -> int:
        return self._sent - self._done - self._channel.dropped

    @property
    def idle(self) -> float:
        """Seconds for which an item, or the end, is under way without any progress."""
        return self._activity.idle

    def send(self, item: Item, give_up: Callable[[], bool] = lambda: False) -> bool:
        """Queue an item; return False if there is no place for it and `give_up()` is true.

        Raises:
            Exception: that which `deliver` raised for an earlier item.
        """
        if self._channel.send(item, give_up):
            self._sent += 1
            return True
        if self.error is not None:
            raise self.error
        return False

    def end(self, *, complete: bool) -> None:
        """Let the thread deliver what waits, and then finish."""
        self._complete = complete
        self._channel.close()

    def join(self, give_up: Callable[[], bool] = lambda: True) -> bool:
        """Wait for the thread's end; return False if it stalls for STALL_SECONDS.

        Args:
            give_up: asked then; False to wait all the same.
        """
        while self._thread.is_alive():
            if self.idle > STALL_SECONDS and give_up():
                return False
            self._thread.join(POLL_SECONDS)
        return True

    def _drain(self) -> None:
        self._activity.begin()
        try:
            for item in self._channel.receive():
                with self._activity.busy():
                    self._deliver(item)
                self._done += 1
        except BaseException as problem:  # raised again by send() or on leaving
            self.error = problem
            self._channel.close()
        try:
            with self._activity.busy():
                self._finish(self._complete and self.error is None)
        except BaseException as problem:
            self.error = self.error or problem


class Background:
    """Runs `work()` on its own thread; it is to end soon after `stopped()` turns true.

    Where it hangs all the same it is left behind.

    Attributes:
        error: the exception that ended the work, if any.
    """

    def __init__(self, work: Callable[[], None], *, name: str):
        self._work = work
        self._stop, self._activity = threading.Event(), Activity()
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

    def stop(self, *, longest: float = float("inf")) -> None:
        """Ask the work to end, and wait for it, unless it hangs or takes longer than `longest`."""
        self._stop.set()
        end = time.monotonic() + longest
        while self._thread.is_alive():
            if self._activity.idle > HANG_SECONDS or time.monotonic() > end:
                logger.warning("the %s hangs: it is left behind", self._thread.name)
                return
            self._thread.join(POLL_SECONDS)

    def _run(self) -> None:
        try:
            with self._activity.busy():
                self._work()
        except BaseException as problem:  # the caller decides
            self.error = problem
