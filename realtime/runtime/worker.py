"""Threads: bounded hand-over between stages, with errors carried along."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

FEW_CORES = 2  # on which a codec's own threads cost more than they save
JOIN_SECONDS = 1.5  # how long a thread that hangs in a driver or a network read is waited for
POLL_SECONDS = 0.1  # so that a signal's handler runs while the main thread waits


def cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def codec_threads() -> int:
    """Threads for a decoder or encoder that runs beside the analysis; 0 leaves it to the codec."""
    return 1 if cores() <= FEW_CORES else 0


class Silence(Exception):
    """Nothing came for as long as the receiver wanted to wait."""


class Channel:
    """A bounded queue between two threads, closed once from either side.

    A full channel makes the sender wait, or with `drop_oldest` loses its oldest item and counts it.
    """

    def __init__(self, size: int, *, drop_oldest: bool = False):
        self.dropped = 0
        self._size, self._drop_oldest = size, drop_oldest
        self._items: deque[Any] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._error: BaseException | None = None

    def send(self, item: Any) -> bool:
        """Hand over an item; False when nobody wants it any more."""
        with self._changed:
            while len(self._items) >= self._size and not self._closed:
                if self._drop_oldest:
                    self._items.popleft()
                    self.dropped += 1
                else:
                    self._changed.wait(POLL_SECONDS)
            if self._closed:
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def close(self, error: BaseException | None = None) -> None:
        """End the stream; what was sent is still delivered, then `error` is raised."""
        with self._changed:
            self._closed = True
            self._error = self._error or error
            self._changed.notify_all()

    def receive(
        self,
        stopped: Callable[[], bool] = lambda: False,
        patience: Callable[[], float] = lambda: float("inf"),
    ) -> Iterator[Any]:
        """Items in order until the channel is closed and empty, or `stopped()` turns true.

        Raises:
            Silence: none came for `patience()` seconds.
        """
        waiting = time.monotonic()
        while not stopped():
            with self._changed:
                if not self._items and not self._closed:
                    if time.monotonic() - waiting > patience():
                        raise Silence
                    self._changed.wait(POLL_SECONDS)
                    continue
                if not self._items:
                    break
                item = self._items.popleft()
                self._changed.notify_all()
            yield item
            waiting = time.monotonic()
        if self._error is not None and not stopped():
            raise self._error


class Prefetch:
    """Iterates a source on its own thread, `size` items ahead.

    Args:
        join: seconds that a read which is under way is waited for at the end.
    """

    def __init__(
        self,
        source: Iterable[Any],
        *,
        size: int,
        drop_oldest: bool,
        join: float = JOIN_SECONDS,
    ):
        self._source, self._join = source, join
        self._channel = Channel(size, drop_oldest=drop_oldest)
        self._thread = threading.Thread(target=self._fill, name="prefetch", daemon=True)

    @property
    def dropped(self) -> int:
        """Items lost because they were not taken in time."""
        return self._channel.dropped

    def __enter__(self) -> "Prefetch":
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._channel.close()
        # A read that blocks in a driver cannot be broken off: the daemon thread is left behind.
        self._thread.join(self._join)

    def items(
        self,
        stopped: Callable[[], bool] = lambda: False,
        patience: Callable[[], float] = lambda: float("inf"),
    ) -> Iterator[Any]:
        """The source's items; its exception, if any, after the last. See `Channel.receive`."""
        return self._channel.receive(stopped, patience)

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


class Outbox:
    """Calls `deliver(item)` on its own thread, in order, at most `size` items behind."""

    def __init__(self, deliver: Callable[[Any], None], *, size: int):
        self._deliver = deliver
        self._channel = Channel(size)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._drain, name="outbox", daemon=True)

    def __enter__(self) -> "Outbox":
        self._thread.start()
        return self

    def __exit__(self, kind: type | None, problem: BaseException | None, trace: object) -> None:
        self._channel.close()
        self._thread.join()
        # Also while a stop is under way: a disk that fills during the last frames must be told of.
        if self._error is not None and self._error is not problem:
            raise self._error

    def send(self, item: Any) -> None:
        """Queue an item.

        Raises:
            Exception: whatever `deliver` raised for an earlier item.
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
    """Runs `work()` on its own thread; `stop()` asks it to end, which it learns by `stopped()`."""

    def __init__(self, work: Callable[[], None], *, name: str):
        self._work = work
        self._stop = threading.Event()
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether the work is under way."""
        return self._thread.is_alive()

    def stopped(self) -> bool:
        """Whether the work was asked to end."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Ask it to end, and wait for that."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as problem:  # kept for whoever asks
            self.error = problem
