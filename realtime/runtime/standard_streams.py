"""Standard streams that are closed, that nobody reads any more, or whose reader stalls: a service
has such, and its run goes on.
"""

import io
import os
import select
import sys
from contextlib import suppress

NAMES = ("stdin", "stdout", "stderr")
STALL_MS = 1000  # that a line on stderr waits for its reader, once; later ones not at all
closed: set[int] = set()  # numbers of those that were closed when the app was started


class LossyStderr(io.TextIOWrapper):
    """Standard error that takes every line, and loses those for which there is no reader."""

    replaced: io.TextIOWrapper | None = None
    _wait = STALL_MS

    def write(self, text: str) -> int:
        """Write a text, or lose it."""
        if self._is_ready():
            try:
                return super().write(text)
            except OSError:
                self._forget()
        return len(text)

    def flush(self) -> None:
        """Flush what waits, or lose it."""
        try:
            super().flush()
        except OSError:
            self._forget()

    def _is_ready(self) -> bool:
        """True if a write will not wait; also if it fails."""
        if not hasattr(select, "poll"):
            return True
        poll = select.poll()
        poll.register(self.fileno(), select.POLLOUT)
        ready = bool(poll.poll(self._wait))
        self._wait = STALL_MS if ready else 0
        return ready

    def _forget(self) -> None:
        """Let the null device take what follows: the reader is gone."""
        with suppress(OSError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self.fileno())
            os.close(null)
            super().flush()


def prepare() -> None:
    """Give closed streams the null device, so that no output gets their numbers; no line on stderr
    ends the run.
    """
    for number, name in enumerate(NAMES):
        try:
            os.fstat(number)
        except OSError:
            closed.add(number)
            null = os.open(os.devnull, os.O_RDWR)
            os.dup2(null, number)  # which makes it one that programs inherit
            if null != number:
                os.close(null)
        if getattr(sys, name) is None:
            mode = "w" if number else "r"
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
    stderr = sys.stderr
    if type(stderr) is io.TextIOWrapper and stderr.fileno() == NAMES.index("stderr"):
        lossy = LossyStderr(
            stderr.buffer, encoding=stderr.encoding, errors=stderr.errors, line_buffering=True
        )
        lossy.replaced = stderr  # whose end would close their file
        sys.stderr = lossy
