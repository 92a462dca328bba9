"""Counts and stage times of a run: the figures of the HUD, the summary and --stats."""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

RECENT = 30  # frames over which the HUD's rates are taken
SAMPLES = 20_000  # stage times kept for the percentiles; older ones are forgotten


class Times:
    """The last SAMPLES of many times in seconds, in a memory that does not grow."""

    def __init__(self) -> None:
        self._values = np.zeros(SAMPLES, np.float32)
        self._count = 0

    def add(self, seconds: float) -> None:
        """Note one, in place of the oldest."""
        self._values[self._count % SAMPLES] = seconds
        self._count += 1

    @property
    def last(self) -> float:
        """The last one, or 0."""
        return float(self._values[(self._count - 1) % SAMPLES]) if self._count else 0.0

    def report(self) -> dict[str, float]:
        """How many there were, and the mean and 95th percentile of the last in milliseconds."""
        if not self._count:
            return {}
        values = 1000 * self._values[: self._count].astype(np.float64)
        return {
            "count": self._count,
            "mean": round(float(values.mean()), 3),
            "p95": round(float(np.percentile(values, 95)), 3),
        }


class Stats:
    """What happened in a run. `stage(name)` times a block; frames are counted where they pass."""

    def __init__(self) -> None:
        self.read = self.written = self.dropped = self.failed = 0
        self._first_written: float | None = None
        self._stages: dict[str, Times] = {}
        self._shown: deque[float] = deque(maxlen=RECENT + 1)
        self._latencies = Times()
        self.start()

    def start(self) -> None:
        """Count the run's seconds from now on, instead of from when this object was made."""
        self._started = time.monotonic()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage of one frame."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - start)

    def add(self, name: str, seconds: float) -> None:
        """Note the time that one frame took in a stage."""
        if name not in self._stages:
            self._stages[name] = Times()
        self._stages[name].add(seconds)

    def frame_analysed(self, captured: float) -> None:
        """Note that a frame, taken at `captured`, is ready to be shown."""
        now = time.monotonic()
        self._shown.append(now)
        self._latencies.add(now - captured)

    def frame_written(self) -> None:
        """Note that a frame reached every sink."""
        self.written += 1
        if self._first_written is None:
            self._first_written = time.monotonic()

    @property
    def fps(self) -> float:
        """Distinct frames a second of wall time, over the last frames."""
        if len(self._shown) < 2:
            return 0.0
        return (len(self._shown) - 1) / max(self._shown[-1] - self._shown[0], 1e-9)

    @property
    def latency(self) -> float:
        """Seconds from capture to overlay of the last frame."""
        return self._latencies.last

    def report(self) -> dict:
        """All figures, ready for JSON; times in seconds and milliseconds as named."""
        seconds = time.monotonic() - self._started
        first = self._first_written
        return {
            "frames": {
                "read": self.read,
                "written": self.written,
                "dropped": self.dropped,
                "failed": self.failed,
            },
            "seconds": round(seconds, 3),
            "fps": round(self.written / seconds, 2),
            "first_frame_seconds": None if first is None else round(first - self._started, 3),
            "latency_ms": self._latencies.report(),
            "stages_ms": {name: times.report() for name, times in self._stages.items()},
        }


def summary(report: dict) -> str:
    """The report as a few lines for people."""
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
