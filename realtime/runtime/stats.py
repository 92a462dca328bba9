"""Counts and stage times of a run: the figures of the HUD, the summary and --stats."""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from realtime.types import AreaCount

RATE_FRAMES = 30  # over which the current frame rate is measured
SAMPLES = 20_000  # stage times kept for the percentiles; older ones are overwritten


class Times:
    """The last SAMPLES of a series of durations in seconds, in memory of constant size."""

    def __init__(self) -> None:
        self._values = np.zeros(SAMPLES, np.float32)
        self._count = 0

    def add(self, seconds: float) -> None:
        """Record a duration, in place of the oldest."""
        self._values[self._count % SAMPLES] = seconds
        self._count += 1

    @property
    def last(self) -> float:
        """The last duration; 0 before the first."""
        return float(self._values[(self._count - 1) % SAMPLES]) if self._count else 0.0

    def report(self) -> dict[str, float]:
        """Return the count of all, and mean and 95th percentile of the last in milliseconds."""
        if not self._count:
            return {}
        values = 1000 * self._values[: self._count].astype(np.float64)
        return {
            "count": self._count,
            "mean": round(float(values.mean()), 3),
            "p95": round(float(np.percentile(values, 95)), 3),
        }


class Stats:
    """Counts and times of a run.

    Attributes:
        read, written, dropped, failed: frames so far.
        left_out: frames that an output did not take, by its name.
        areas: counts of zones and lines.
    """

    def __init__(self) -> None:
        self.read = self.written = self.dropped = self.failed = 0
        self.left_out: dict[str, int] = {}
        self.areas: Sequence[AreaCount] = ()
        self._first_written: float | None = None
        self._stages: dict[str, Times] = {}
        self._shown: deque[float] = deque(maxlen=RATE_FRAMES + 1)
        self._latencies, self._ages = Times(), Times()
        self.start()

    def start(self) -> None:
        """Measure the run's seconds from now on, instead of from the construction on."""
        self._started = time.monotonic()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a block as a stage of one frame."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - start)

    def add(self, name: str, seconds: float) -> None:
        """Record the seconds that one frame took in a stage."""
        if name not in self._stages:
            self._stages[name] = Times()
        self._stages[name].add(seconds)

    def frame_analysed(self, captured: float, detected: float | None = None) -> None:
        """Record that a frame is ready to be shown.

        Args:
            captured: time.monotonic() of it.
            detected: of the frame that its labels are from, see `LabelledFrame`.
        """
        now = time.monotonic()
        self._shown.append(now)
        self._latencies.add(now - captured)
        if detected is not None:
            self._ages.add(now - detected)

    def frame_written(self) -> None:
        """Record that a frame is in the video, or the first output where there is none."""
        self.written += 1
        if self._first_written is None:
            self._first_written = time.monotonic()

    @property
    def fps(self) -> float:
        """Frames a second of wall time, over the last RATE_FRAMES."""
        if len(self._shown) < 2:
            return 0.0
        return (len(self._shown) - 1) / max(self._shown[-1] - self._shown[0], 1e-9)

    @property
    def latency(self) -> float:
        """Seconds from the capture of the last frame to its labels."""
        return self._latencies.last

    def report(self) -> dict:
        """Return all figures, ready for JSON, in seconds or milliseconds as named."""
        seconds = time.monotonic() - self._started
        first = self._first_written
        return {
            "frames": {
                "read": self.read,
                "written": self.written,
                "dropped": self.dropped,
                "failed": self.failed,
            },
            "left_out": dict(self.left_out),
            **({"areas": list(map(_counts, self.areas))} if self.areas else {}),
            "seconds": round(seconds, 3),
            "fps": round(self.written / seconds, 2),
            "first_frame_seconds": None if first is None else round(first - self._started, 3),
            "latency_ms": self._latencies.report(),
            "label_age_ms": self._ages.report(),
            # A copy: threads add stages of their own.
            "stages_ms": {name: times.report() for name, times in list(self._stages.items())},
        }


def _counts(area: AreaCount) -> dict:
    """The counts of a zone or line, ready for JSON."""
    garments = [
        {"direction": direction, "label": label, "colour": colour, "count": count}
        for (direction, label, colour), count in sorted(area.garments.items())
    ]
    counts = {
        "name": area.name, "kind": area.kind, "in": area.entered, "out": area.left,
        "garments": garments,
    }  # fmt: skip
    if area.kind != "zone":
        return counts
    mean = round(area.stayed / area.stays, 3) if area.stays else None
    return counts | {
        "inside": area.inside, "mean_stay_seconds": mean,
        "longest_stay_seconds": round(area.longest, 3), "broken": area.broken,
    }  # fmt: skip


def summary(report: dict) -> str:
    """Format a report as a few lines of text."""
    frames = report["frames"]
    counts = ", ".join(f"{count} {name}" for name, count in frames.items())
    lines = [f"{counts}; {report['fps']:.1f} fps over {report['seconds']:.1f} s"]
    stages = [
        f"{name} {times['mean']:.2f} ({times['p95']:.2f})"
        for name, times in report["stages_ms"].items()
        if times
    ]
    if stages:
        lines.append("ms a frame, mean (p95): " + ", ".join(stages))
    return "\n".join(lines)
