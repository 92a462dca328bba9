"""Signals that ask a run to finish; a second one ends the process at once."""

import os
import signal
from collections.abc import Callable
from types import FrameType

Handler = Callable[[int, FrameType | None], object] | int | None
# Windows has no SIGHUP, and SIGBREAK for Ctrl-Break and for a console that closes.
NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
SIGNALS = tuple(getattr(signal, name) for name in NAMES if hasattr(signal, name))
HANGUP = getattr(signal, "SIGHUP", None)


class Interrupt:
    """Turns signals into `requested()` while entered; `status` is then 128 plus the number."""

    def __init__(self) -> None:
        self._number = 0
        self._replaced: dict[int, Handler] = {}

    def __enter__(self) -> "Interrupt":
        for number in SIGNALS:
            # Started by nohup, the run is meant to outlive its terminal.
            if number != HANGUP or signal.getsignal(number) != signal.SIG_IGN:
                self._replaced[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *exc_info: object) -> None:
        for number, handler in self._replaced.items():
            signal.signal(number, handler)

    def requested(self) -> bool:
        """True once a signal was received."""
        return self._number != 0

    @property
    def status(self) -> int:
        """Exit status: 0, or 128 plus the signal's number."""
        return 128 + self._number if self._number else 0

    def _handle(self, number: int, _: FrameType | None) -> None:
        if self._number:
            os._exit(128 + number)
        self._number = number
