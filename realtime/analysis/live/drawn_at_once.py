"""Frames of live sources: drawn at once, or after analyses of their own if those are fast."""

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Protocol

from realtime.analysis.detection_interval import DetectionInterval
from realtime.analysis.live.latency import LatencyTrial
from realtime.analysis.live.live_analysis import LiveAnalysis
from realtime.analysis.live.results import Request, Result
from realtime.analysis.motion_gate import MotionGate
from realtime.runtime.stats import Stats
from realtime.types import Frame, LabelledFrame, Region


class Stages(Protocol):
    """The stages of a source.

    Attributes:
        live_interval: of detections beside the frames.
    """

    @property
    def motion_gate(self) -> MotionGate: ...
    @property
    def live_interval(self) -> DetectionInterval: ...

    def detect_beside(self, frame: Frame, stats: Stats) -> list[Region]:
        """The regions of a frame; on a thread beside the one that labels."""
        ...

    def label_beside(
        self,
        request: Request,
        regions: list[Region],
        early: Callable[[Result], None],
        stats: Stats,
    ) -> Result:
        """Label the regions of a frame; see `live_analysis.Label`."""
        ...

    def labelled(self, frame: Frame, stats: Stats) -> LabelledFrame:
        """Pass a frame through all stages."""
        ...

    def go_on_from(self, regions: list[Region]) -> None:
        """Pass the next frame through all stages, after others that were drawn at once."""
        ...


def drawn_at_once(
    stages: Stages, frames: Iterable[Frame], stats: Stats, *, waits: bool, auto: bool
) -> Iterator[LabelledFrame]:
    """Let no frame wait for its analysis.

    Args:
        waits: see `LiveAnalysis`.
        auto: let them wait all the same for as long as that turns out to be fast.
    """
    remaining, last = iter(frames), None
    while True:
        trial = LatencyTrial()
        with LiveAnalysis(
            detect=partial(stages.detect_beside, stats=stats),
            label=partial(stages.label_beside, stats=stats),
            gate=stages.motion_gate,
            interval=stages.live_interval,
            stats=stats,
            trial=trial,
            waits=waits,
            start=last,
        ) as live:
            for frame in remaining:
                yield live(frame)
                if auto and trial.keeps_up:
                    break
            else:
                live.finish()
                return
            live.finish()
        stages.go_on_from(live.regions)
        for frame in remaining:
            start = time.monotonic()
            last = stages.labelled(frame, stats)
            if last.detected == frame.captured:
                trial.waited(time.monotonic() - start)
            yield last
            if trial.falls_behind:
                break
        else:
            return
