"""Presentation times of live frames: those of this machine's clock, always rising."""

from fractions import Fraction

TIME_BASE = Fraction(1, 90_000)  # seconds a tick


class LiveClock:
    """Converts times of time.monotonic() to ticks of TIME_BASE.

    Args:
        start: the time of tick 0; None for that of the first frame.
    """

    def __init__(self, start: float | None = None):
        self._start, self._last = start, -1

    def ticks(self, captured: float) -> int:
        """Return the ticks of a frame, more than those of the one before."""
        self._start = captured if self._start is None else self._start
        self._last = max(self._last + 1, round((captured - self._start) / TIME_BASE))
        return self._last
