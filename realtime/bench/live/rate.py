"""A camera at its own rate: frames drawn a second, and the age of the pictures and their labels.

The app's pipeline records a fake camera as H.264, and a sink beside the video reads the clock of
each picture: `python -m realtime.bench.live.rate 'fake://30fps?clip=FILE' --seconds 20`.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from preprocessing.errors import UsageError, exit_status
from realtime.analysis.live.latency import LATENCIES
from realtime.bench.live.latency import CLOCK_PERIOD, WARM_UP
from realtime.library.assemble import AnalysisFactory
from realtime.library.pipeline import Stopped, run
from realtime.runtime.stats import Stats
from realtime.settings import Recognition
from realtime.sinks.video import VideoSink
from realtime.sources.addresses import FAKE_SCHEME
from realtime.sources.cameras import FakeSource, read_clock
from realtime.types import LabelledFrame, SourceInfo

DETECTION = "locate"  # the stage that is counted as analyses


@dataclass(eq=False)
class ReadingSink:
    """A sink that reads how old each picture and its labels are.

    Attributes:
        seconds: after WARM_UP, counted from the first frame on, in which frames are measured.
        pictures, labels: ages in seconds.
        unlabelled: frames before the first detection, or after a scene cut.
    """

    seconds: float
    stats: Stats
    pictures: list[float] = field(default_factory=list)
    labels: list[float] = field(default_factory=list)
    unlabelled: int = 0
    over: bool = False
    needs_picture: bool = True
    _first: float | None = None
    _before: tuple[int, float] = (0, 0.0)  # analyses, and seconds of processor time

    def open(self, info: SourceInfo) -> None:
        pass

    def close(self, *, complete: bool) -> None:
        pass

    def write(self, labelled: LabelledFrame) -> None:
        """Read the ages, once the camera has run for a while."""
        now, clock = time.monotonic(), read_clock(labelled.picture)
        self._first = now if self._first is None else self._first
        if now < self._first + WARM_UP:
            self._before = self._spent()
            return
        if clock is not None:
            self.pictures.append((now - clock) % CLOCK_PERIOD)
        if labelled.detected is None:
            self.unlabelled += 1
        else:
            self.labels.append(now - labelled.detected)
        self.over = now >= self._first + WARM_UP + self.seconds

    def _spent(self) -> tuple[int, float]:
        stages = self.stats.report()["stages_ms"]
        return stages.get(DETECTION, {}).get("count", 0), time.process_time()

    def __str__(self) -> str:
        drawn = len(self.labels) + self.unlabelled
        if not self.labels or not self.pictures:
            raise UsageError("no labelled frame was measured: give more --seconds")
        analyses, processor = np.subtract(self._spent(), self._before) / self.seconds
        return (
            f"{drawn / self.seconds:.1f} frames a second; pictures {_ages(self.pictures)} old; "
            f"labels {_ages(self.labels)}; {analyses:.1f} detections a second; "
            f"{processor:.2f} cores busy; {self.unlabelled} frames without labels"
        )


def _ages(seconds: Sequence[float]) -> str:
    middle, most, worst = 1000 * np.percentile(seconds, (50, 95, 100))
    return f"{middle:.0f} ms (95 % under {most:.0f}, all under {worst:.0f})"


def measure_rate(factory: AnalysisFactory, source: str, seconds: float) -> str:
    """Record a fake camera through a new analysis, and return what was found in words."""
    stats, analysis = Stats(), factory.new_analysis()
    sink = ReadingSink(seconds, stats)
    joined = f"{source}{'&' if '?' in source else '?'}name={time.monotonic()}"
    with tempfile.TemporaryDirectory() as folder, FakeSource(joined) as camera:
        video = VideoSink(Path(folder) / "out.mp4", audio=False)
        with suppress(Stopped):
            run(camera, analysis, [video, sink], stats=stats, stopped=lambda: sink.over,
                progress=lambda _: None)  # fmt: skip
    return str(sink)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure; the exit status is documented in the app's --help."""
    arguments = argparse.ArgumentParser(
        prog="python -m realtime.bench.live.rate",
        description="Frames a second of a simulated camera, and the age of pictures and labels.",
    )
    add = arguments.add_argument
    add("source", nargs="?", default="fake://30fps", metavar="fake://30fps?clip=FILE")
    add("--seconds", type=float, default=20.0, metavar="S", help="after a warm-up (default 20)")
    add("--latency", nargs="+", default=["live", "exact"], choices=LATENCIES)
    add("--model", default=Recognition.model, metavar="NAME", help="as of the app")
    add("--locate", default=Recognition.locator, metavar="NAME", help="as of the app")
    add("--rounds", type=int, default=1, metavar="N", help="of all latencies, in turn")
    values = arguments.parse_args(argv)
    return exit_status(lambda: _main(values))


def _main(values: argparse.Namespace) -> int:
    if not values.source.startswith(FAKE_SCHEME) or values.seconds <= 0:
        raise UsageError(f"a simulated camera is measured, {FAKE_SCHEME}30fps, for --seconds above "
                         f"0; got {values.source}")  # fmt: skip
    for latency in values.rounds * values.latency:
        factory = AnalysisFactory(
            Recognition(model=values.model, locator=values.locate, latency=latency)
        )
        print(f"{latency}: {measure_rate(factory, values.source, values.seconds)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
