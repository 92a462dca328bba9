"""How old is what the screen shows? A fake camera shows its own clock; it is read back.

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

TURN = 2**BITS / 1000  # seconds after which the shown clock starts anew
WARM_UP = 2.0  # seconds that are not counted


@dataclass
class ReadingWindow:
    """Takes the place of the window: notes when a frame came, and how old its clock says it is."""

    ages: list[tuple[float, float]] = field(default_factory=list)
    unread: int = 0

    def show(self, labelled: LabelledFrame, stopped: Callable[[], bool]) -> bool:
        """Note the frame's age in seconds."""
        now, clock = time.monotonic(), read_clock(labelled.picture)
        if clock is None:
            self.unread += 1
        else:
            self.ages.append((now, (now - clock) % TURN))
        return True


class Slowed:
    """A locator that takes `seconds` longer, as one would on a slower machine."""

    stateful = False

    def __init__(self, locate: Locator, seconds: float):
        self.info, self.streams, self.every = locate.info, locate.streams, locate.every
        self._locate, self._seconds = locate, seconds

    def __call__(self, image: np.ndarray) -> list[Region]:
        time.sleep(self._seconds)
        return self._locate(image)


@dataclass(frozen=True)
class Ages:
    """Milliseconds from the camera to the shown overlay: median, 95th percentile, and the change
    over a minute; `shown` of the camera's frames a second, `unread` clocks that were covered."""

    median: float
    p95: float
    slope: float
    shown: float
    unread: int

    def __str__(self) -> str:
        return (f"median {self.median:.0f} ms, 95 % under {self.p95:.0f} ms, {self.slope:+.1f} ms "
                f"a minute, {self.shown:.1f} frames a second, {self.unread} unread")  # fmt: skip


def ages(analysis: FrameAnalysis, *, rate: int, seconds: float) -> Ages:
    """Run a fake camera through an analysis, and read the clock of what is shown."""
    window, stats = ReadingWindow(), Stats()
    source = FakeSource(f"fake://{rate}fps?for={seconds + WARM_UP:g}s&name={time.monotonic()}")
    run(source, analysis, [], show=window.show, stats=stats, stopped=lambda: False,
        progress=lambda _: None)  # fmt: skip
    start = window.ages[0][0] + WARM_UP
    times, found = np.array([(t - start, age) for t, age in window.ages if t >= start]).T
    slope = np.polyfit(times / 60, 1000 * found, 1)[0]
    return Ages(
        1000 * float(np.median(found)), 1000 * float(np.percentile(found, 95)), float(slope),
        len(found) / seconds, window.unread,
    )  # fmt: skip
