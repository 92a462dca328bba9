"""The contract of sources, which give frames, and the clock of those that are live."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Protocol

from preprocessing.errors import SourceError
from realtime.types import Frame, SourceInfo

TIME_BASE = Fraction(1, 90_000)  # seconds a tick of live sources
OPENING_SECONDS = 15.0  # that a source may take until its first picture


class Source(Protocol):
    """The contract of every source.

    Constructing one opens it, entering does no more, and leaving closes it. It is iterated once.

    Attributes:
        info: known before the first frame.
        failed: packets and pictures so far that could not be decoded.
    """

    @property
    def info(self) -> SourceInfo: ...
    @property
    def failed(self) -> int: ...
    def __enter__(self) -> "Source": ...
    def __exit__(self, *exc_info: object) -> None: ...

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames in order, with rising times.

        Raises:
            BrokenSourceError: the source broke off; every frame so far was given.
        """
        ...


def no_picture(name: str, seconds: float) -> SourceError:
    """Return the error of a source that opens but shows nothing, or does not even open."""
    return SourceError(f"{name} gave no picture within {seconds:.3g} s: check that it sends, or "
                       "wait longer with --timeout SECONDS")  # fmt: skip


class LiveClock:
    """Converts times of time.monotonic() to ticks of TIME_BASE.

    Args:
        start: the time of tick 0; None for that of the first frame.
    """

    def __init__(self, start: float | None = None):
        self._start, self._last = start, -1

    @property
    def seconds(self) -> float:
        """The time of the last frame; below 0 before the first."""
        return float(self._last * TIME_BASE)

    def ticks(self, captured: float) -> int:
        """Return the ticks of a frame, more than those of the one before."""
        self._start = captured if self._start is None else self._start
        self._last = max(self._last + 1, round((captured - self._start) / TIME_BASE))
        return self._last
