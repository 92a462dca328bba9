"""Latency from camera to window: a fake camera shows its clock, which is read from the picture.

The whole pipeline runs as for a camera, with a window that reads instead of showing.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from realtime.analysis.frame_analysis import FrameAnalysis
from realtime.analysis.locators import Locator
from realtime.pipeline import run
from realtime.runtime.stats import Stats
from realtime.sources.fake_camera import BITS, FakeSource, read_clock
from realtime.types import LabelledFrame, Region

CLOCK_PERIOD = 2**BITS / 1000  # seconds after which the shown clock restarts
WARM_UP = 2.0  # seconds that are not counted


@dataclass
class ReadingWindow:
    """Stands in for the window.

    Attributes:
        ages: for each frame the time at which it came and its age by its clock, in seconds.
        unread: frames whose clock was covered.
    """

    ages: list[tuple[float, float]] = field(default_factory=list)
    unread: int = 0

    def show(self, labelled: LabelledFrame, stopped: Callable[[], bool]) -> bool:
        """Record the frame's age."""
        now, clock = time.monotonic(), read_clock(labelled.picture)
        if clock is None:
            self.unread += 1
        else:
            self.ages.append((now, (now - clock) % CLOCK_PERIOD))
        return True


class SlowedLocator:
    """A locator that takes `seconds` longer, as on a slower machine."""

    stateful = False

    def __init__(self, locator: Locator, seconds: float):
        self.info, self.streams, self.every = locator.info, locator.streams, locator.every
        self._locator, self._seconds = locator, seconds

    def __call__(self, image: np.ndarray) -> list[Region]:
        time.sleep(self._seconds)
        return self._locator(image)


@dataclass(frozen=True)
class Latency:
    """Age of the frames in the window.

    Attributes:
        median, p95: in milliseconds.
        slope: change in milliseconds a minute.
        shown: frames a second.
        unread: frames whose clock was covered.
    """

    median: float
    p95: float
    slope: float
    shown: float
    unread: int

    def __str__(self) -> str:
        return (f"median {self.median:.0f} ms, 95 % under {self.p95:.0f} ms, {self.slope:+.1f} ms "
                f"a minute, {self.shown:.1f} frames a second, {self.unread} unread")  # fmt: skip


def measure_latency(analysis: FrameAnalysis, *, rate: int, seconds: float) -> Latency:
    """Run a fake camera through an analysis, and read the clocks in the window."""
    window, stats = ReadingWindow(), Stats()
    source = FakeSource(f"fake://{rate}fps?for={seconds + WARM_UP:g}s&name={time.monotonic()}")
    run(source, analysis, [], show=window.show, stats=stats, stopped=lambda: False,
        progress=lambda _: None)  # fmt: skip
    start = window.ages[0][0] + WARM_UP
    times, found = np.array([(t - start, age) for t, age in window.ages if t >= start]).T
    slope = np.polyfit(times / 60, 1000 * found, 1)[0]
    return Latency(
        1000 * float(np.median(found)), 1000 * float(np.percentile(found, 95)), float(slope),
        len(found) / seconds, window.unread,
    )  # fmt: skip
