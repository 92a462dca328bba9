"""How long an archive takes and how large its results become: before it is run, and meanwhile."""

import math
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from preprocessing.errors import GarmentError
from realtime.batch.stores import local
from realtime.batch.units import Unit
from realtime.batch.workers import Task, label, networks
from realtime.sources.segments import Segment, SegmentSource, segments_of

SAMPLES = 3  # units, spread over the archive
SAMPLE_SECONDS = 4  # of each
WARM_UP = 3  # frames, in which networks are compiled for the size of the pictures
RATE = Fraction(25)  # of videos that state none
COPIES = 2  # of all results: in the units, and joined
UNITS = ("B", "kB", "MB", "GB", "TB")


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The time and the size of an archive's samples, on one worker.

    Attributes:
        frames: of the samples; 0 if none of them could be read.
        seconds: without loading the networks.
        size: of their results, in bytes.
    """

    frames: int = 0
    seconds: float = 0.0
    size: int = 0


def measure(units: Sequence[Unit], task: Task) -> Measured:
    """Process a few seconds of units that are spread over an archive, into a temporary folder.

    Raises:
        WeightsError, DeviceError: the networks cannot be loaded.
    """
    networks(task.recognition)
    frames, seconds, size = 0, 0.0, 0
    step = max(1, len(units) // SAMPLES)
    for unit in units[step // 2 :: step][:SAMPLES]:
        try:
            with local(unit.segment.path) as path:
                sample = _sample(replace(unit.segment, path=path))
                _timed(_first(sample), task)
                spent, written, length = _timed(sample, task)
        except GarmentError:
            continue  # of a damaged part; the run itself says so
        frames, seconds, size = frames + written, seconds + spent, size + length
    return Measured(frames=frames, seconds=seconds, size=size)


def _sample(segment: Segment) -> Segment:
    """Return some seconds from the middle of a segment's file."""
    with SegmentSource(segment) as source:
        rate = source.info.rate or RATE
    parts = segments_of(segment.path, math.ceil(SAMPLE_SECONDS * rate))
    return next(one for one in parts if one.last > (segment.first + segment.last) // 2)


def _first(segment: Segment) -> Segment:
    """Return the first frames of a segment's file."""
    return segments_of(segment.path, WARM_UP)[0]


def _timed(segment: Segment, task: Task) -> tuple[float, int, int]:
    """Return the seconds that a segment took, its frames, and the bytes of its results."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        counts = label(segment, task, Path(folder))
        seconds = time.perf_counter() - start
        return seconds, counts.written, sum(one.stat().st_size for one in Path(folder).iterdir())


def estimate(units: Sequence[Unit], measured: Measured, *, workers: int) -> str:
    """Return the line of a dry run: frames, hours and size of the units to do."""
    frames = frames_of(units)
    if not frames:
        return "nothing to do"
    if not measured.frames:
        return f"{frames} frames to do; no sample of them could be read"
    each = measured.seconds / measured.frames
    size = frames * measured.size / measured.frames
    return (f"{frames} frames to do, at {1 / each:.1f} a second and worker "
            f"({measured.frames} were tried): {clock(frames * each / workers)} on {workers} "
            f"{'worker' if workers == 1 else 'workers'}, "
            f"{in_bytes(COPIES * size)} in --out (half of them in units/)")  # fmt: skip


def frames_of(units: Sequence[Unit]) -> int:
    """The frames that units have, if all of them can be decoded."""
    return sum(unit.segment.last - unit.segment.first for unit in units)


class Remaining:
    """How much of the units is done, and how long the others take at the pace so far.

    Args:
        frames: of all units.
        now: a clock in seconds.
    """

    def __init__(self, frames: int, now: Callable[[], float] = time.monotonic):
        self._frames, self._now, self._done, self._start = frames, now, 0, now()

    def ended(self, frames: int) -> str:
        """Count a unit of so many frames; return such as "12 %, 0:03:20 left"."""
        self._done += frames
        spent = self._now() - self._start
        left = spent * (self._frames - self._done) / max(1, self._done)
        return f"{100 * self._done // max(1, self._frames)} %, {clock(left)} left"


def clock(seconds: float) -> str:
    """Return seconds as h:mm:ss, rounded up."""
    minutes, rest = divmod(math.ceil(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def in_bytes(count: float) -> str:
    """Return a number of bytes as "1.2 GB"."""
    for unit in UNITS[:-1]:
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} {UNITS[-1]}"
