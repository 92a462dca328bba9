"""Signals ask the run to finish; a second one forces the end."""

import os
import signal
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupt:
    """While entered, turns a signal into `requested()`; `status` is then 128 + its number."""

    def __init__(self) -> None:
        self._number = 0
        self._before: dict[int, object] = {}

    def __enter__(self) -> "Interrupt":
        for number in SIGNALS:
            # Started by nohup, the run is meant to outlive its terminal.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *exc_info: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def requested(self) -> bool:
        """Whether a signal came."""
        return self._number != 0

    @property
    def status(self) -> int:
        """Exit status: 0, or 128 plus the signal's number."""
        return 128 + self._number if self._number else 0

    def _handle(self, number: int, _: FrameType | None) -> None:
        if self._number:
            os._exit(128 + number)
        self._number = number
