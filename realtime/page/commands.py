"""Commands of the page's viewers, one after the other on one thread."""

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

MAX_WAITING = 32
Result = TypeVar("Result")


class BusyError(Exception):
    """Too much is asked for at once; it may be asked for again later."""


class Commands:
    """A thread that calls functions in the order in which they are given."""

    def __init__(self) -> None:
        self._queue: queue.Queue[tuple[Callable[[], Any], Future] | None] = queue.Queue(MAX_WAITING)
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="commands", daemon=True)
        self._thread.start()

    def submit(self, command: Callable[[], Result]) -> "Future[Result]":
        """Queue a function; from any thread.

        Raises:
            BusyError: too many are waiting, or the app is ending.
        """
        future: Future[Result] = Future()
        try:
            if self._closed:
                raise BusyError("the app is ending")
            self._queue.put_nowait((command, future))
        except queue.Full:
            raise BusyError(
                f"{MAX_WAITING} commands are waiting already: try again later"
            ) from None
        return future

    async def __call__(self, command: Callable[[], Result]) -> Result:
        """Call a function on the thread, and wait for its result; it raises what that raises.

        Raises:
            BusyError: see `submit`.
        """
        return await asyncio.wrap_future(self.submit(command))

    def close(self, *, seconds: float) -> None:
        """Take no more; wait at most so long for those that were given."""
        self._closed = True
        try:
            self._queue.put(None, timeout=seconds)
        except queue.Full:
            return  # one hangs: its thread ends with the process
        self._thread.join(seconds)

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            command, future = item
            if not future.set_running_or_notify_cancel():
                continue  # the viewer who asked for it is gone
            try:
                future.set_result(command())
            except BaseException as error:  # raised again where the result is awaited
                future.set_exception(error)
