"""Latency: whether frames of live sources wait for their labels. LATENCIES is behind --latency."""

import logging
from collections import deque
from statistics import median

AUTO, LIVE, EXACT = "auto", "live", "exact"
LATENCIES = (AUTO, LIVE, EXACT)  # as the first second shows; frames wait for none; they wait
TRIAL_SECONDS = 1.0  # of frames, after which the times of analyses are judged
TRIAL_STEPS = 100  # between frames, that are kept
TRIAL_ANALYSES = 2  # that are judged at least; the first one of a run is slower, not counted
KEEPS_UP = 0.5  # of the time between frames that an analysis may take for frames to wait for it
WAITED = 8  # analyses, half of which take longer than that time where frames cannot wait any more
logger = logging.getLogger(__name__)


class LatencyTrial:
    """Times of the first analyses and frames, by which is chosen if frames wait.

    Where they do, it goes on with the times of those for which frames waited.
    """

    def __init__(self) -> None:
        self._first: float | None = None
        self._last = 0.0
        self._steps: deque[float] = deque(maxlen=TRIAL_STEPS)  # between frames
        self._analyses: list[float] = []  # seconds, the first one included
        self._waited: deque[float] = deque(maxlen=WAITED)
        self._over = False

    def frame(self, seconds: float) -> None:
        """Add a frame by its time in the source."""
        if self._first is None:
            self._first = seconds
        elif not self._over:
            self._steps.append(seconds - self._last)
        self._last = seconds

    def analysed(self, seconds: float) -> None:
        """Add an analysis beside the frames by the seconds that it took."""
        if self._over:
            return
        self._analyses.append(seconds)
        long = self._first is not None and self._last - self._first >= TRIAL_SECONDS
        self._over = long and len(self._analyses) > TRIAL_ANALYSES
        if self._over:
            logger.info("%s: latency %s", self, EXACT if self.keeps_up else LIVE)

    def waited(self, seconds: float) -> None:
        """Add an analysis for which a frame waited."""
        self._waited.append(seconds)
        if self.falls_behind:
            logger.info("analyses take longer than frames by now: latency %s", LIVE)

    @property
    def keeps_up(self) -> bool:
        """True if analyses turned out to be so fast that frames may wait for them."""
        return self._over and median(self._analyses[1:]) <= KEEPS_UP * median(self._steps)

    @property
    def falls_behind(self) -> bool:
        """True once frames waited longer than there is between them."""
        return len(self._waited) == WAITED and median(self._waited) > median(self._steps)

    def __str__(self) -> str:
        analysis, step = (1000 * median(times) for times in (self._analyses[1:], self._steps))
        return f"an analysis takes {analysis:.0f} ms, frames come every {step:.0f}"
