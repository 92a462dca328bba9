"""A part of a source, or single frames of it: --start, --end and --every."""

import logging
from collections.abc import Generator, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from math import ceil, floor
from typing import Protocol, runtime_checkable

from preprocessing.errors import SourceError, UsageError
from realtime.runtime.cut import ROUNDING, Cut, clock_text
from realtime.sources.sound import SoundTape
from realtime.sources.source import Source
from realtime.types import Frame, Part, SourceInfo

EARLY = Fraction(1)  # second by which a header's length may be wrong
logger = logging.getLogger(__name__)


@runtime_checkable
class Skippable(Protocol):
    """A source that leaves frames out without reading all of what lies before.

    Attributes:
        sought: True once it has left out parts of its file unread.
    """

    @property
    def sought(self) -> bool: ...

    def skip_to(self, pts: int) -> None:
        """Give no more frames before a time in ticks."""
        ...


class CutSource:
    """The frames of a source that a cut asks for; the first is at time 0, and has index 0.

    Of a live source they begin with its first one, and end so long after it.

    Args:
        source: open, not yet entered, its times from 0 on.
        keep_times: True for the source's own times.

    Raises:
        SourceError: it ends before the cut begins.
        UsageError: it is live, and has no earlier times.
    """

    def __init__(self, source: Source, cut: Cut, *, keep_times: bool = False):
        self._source, self._cut = source, cut
        self._frames = iter(source)
        self._tick, self._length = source.info.time_base, _length(source.info)
        self._first: Frame | None = None
        try:
            if cut.start:
                self._first = self._find_first()
        except BaseException:
            source.__exit__(None, None, None)
            raise
        self._offset = self._read_offset(keep_times=keep_times)  # ticks
        self.info = self._read_info(source.info)
        self._warned = False
        if self._length is not None and cut.end and cut.end > self._length + EARLY:
            self._warn(self._length)

    @property
    def failed(self) -> int:
        """Packets and pictures so far that could not be decoded."""
        return self._source.failed

    def __enter__(self) -> "CutSource":
        self._source.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._source.__exit__(*exc_info)

    def __iter__(self) -> Iterator[Frame]:
        if self._first and isinstance(self.info.sound, SoundTape):
            self.info.sound.release()
        end = None if self._cut.end is None else self._ticks(self._cut.end)
        count, origin, due, last = 0, 0, None, 0
        for frame in chain((self._first,) if self._first else (), self._frames):
            if end is not None and frame.pts >= end:
                break
            last = frame.pts
            if due is not None and frame.pts < due:
                continue
            yield replace(frame, index=count, pts=frame.pts + self._offset)
            origin = origin if count else frame.pts
            count += 1
            if self._cut.every:
                due = self._next_due(frame.pts, origin, self._cut.every)
                if end is not None and due >= end:
                    break
                self._skip_to(due)
        else:
            self._check_end(last)
        if isinstance(self._frames, Generator):
            self._frames.close()  # on the thread that ran it

    def _find_first(self) -> Frame:
        if isinstance(self._source.info.sound, SoundTape):
            self._source.info.sound.hold()  # it is read before the outputs are open
        name, start = self._source.info.name, self._ticks(self._cut.start)
        if self._source.info.live:
            raise UsageError(f"--start needs a file: {name} is live and begins now; --end alone "
                             "is the length of a recording")  # fmt: skip
        self._skip_to(start)
        first = next((frame for frame in self._frames if frame.pts >= start), None)
        if first is None:
            length = "" if self._length is None else f" ({clock_text(self._length)})"
            raise SourceError(f"--start {clock_text(self._cut.start)} is beyond the end of {name}"
                              f"{length}: give an earlier one")  # fmt: skip
        return first

    def _skip_to(self, pts: int) -> None:
        if isinstance(self._source, Skippable) and not self._source.info.live:
            self._source.skip_to(pts)

    def _ticks(self, seconds: Fraction) -> int:
        return ceil((seconds - ROUNDING) / self._tick)

    def _next_due(self, pts: int, origin: int, every: Fraction) -> int:
        """The first tick after a frame's that lies a multiple of `every` behind the first one's."""
        steps = floor(((pts - origin) * self._tick + ROUNDING) / every) + 1
        return origin + self._ticks(steps * every)

    def _read_offset(self, *, keep_times: bool) -> int:
        first = self._first.pts if self._first else 0
        kept = max(0, first - round(self._source.info.shift / self._tick)) if keep_times else 0
        return kept - first

    def _read_info(self, info: SourceInfo) -> SourceInfo:
        cut, moved = self._cut, self._offset * self._tick
        part = Part(
            since=self._first.pts * self._tick + moved if self._first else None,
            until=None if cut.end is None else cut.end + moved,
            sought=isinstance(self._source, Skippable) and self._source.sought,
        )
        rate = info.rate
        if cut.every:
            rate = min(rate, 1 / cut.every) if rate else 1 / cut.every
        ends = [end for end in (cut.end, self._length) if end is not None]
        begin = self._first.pts * self._tick if self._first else 0
        frames = ceil((min(ends) - begin - ROUNDING) * rate) if ends and rate else None
        if self._first:
            height, width = self._first.image.shape[:2]
            info = replace(info, width=width, height=height)
        return replace(info, rate=rate, frames=frames, part=part, shift=info.shift + moved)

    def _check_end(self, last: int) -> None:
        """Warn if a file ended, with a frame at `last` ticks, before the cut does."""
        frame = 1 / self._source.info.rate if self._source.info.rate else EARLY
        end = last * self._tick + frame
        if self._cut.end and not self._source.info.live and self._cut.end > end + ROUNDING:
            self._warn(end)

    def _warn(self, end: Fraction) -> None:
        if not self._warned:
            logger.warning("%s ends at %s, before --end %s", self._source.info.name,
                           clock_text(end), clock_text(self._cut.end or Fraction(0)))  # fmt: skip
        self._warned = True


def _length(info: SourceInfo) -> Fraction | None:
    """Seconds that a file lasts by its header."""
    return info.frames / info.rate if info.frames and info.rate else None
