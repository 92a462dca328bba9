"""The pace of streams: each frame at its own time, whatever the bursts in which they arrive.

Players call this a jitter buffer. What waits are the packets, in `live_packets.py`; here is decided
until when. A frame's delay is the time from its place in the stream to its turn by this machine's
clock; it needs the delay with which it arrives. All frames get the same one: at first that of the
start, later the longest that recent frames needed.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from realtime.types import Frame

PATIENCE = 2.0  # seconds by which the analysis may be late before frames are dropped
KEEPS_UP = 0.9  # of the time between frames that an analysis may take that is not behind any more
CATCH_UP = 0.5  # of a wait that is saved while all frames wait longer than recent ones needed
LONGEST_WAIT = 5.0  # seconds; a frame later than that follows a jump of the source's clock
MOST_SPARE = 20.0  # seconds; who sends that far ahead sends no live pictures
RECENT, RECENT_GAPS = 2.0, 3.0  # seconds, or so many times the longest gap between arrivals
LONGEST_GAP = 10.0  # seconds between arrivals that count as one of the stream's bursts
SMOOTHING = 0.1  # weight of a new value in a running mean


class Pacer:
    """Lets each frame of a stream wait for its turn, and tells when the analysis is behind.

    Args:
        clock: seconds, those of `Frame.captured`.
        sleep: waits for seconds.

    Attributes:
        behind: True while the analysis takes longer for a frame than the stream.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ):
        self.behind = False
        self._clock, self._sleep = clock, sleep
        self._delay: float | None = None
        self._recent = RecentDelays()
        self._due = self._time = 0.0  # of the last frame: by the clock, in the stream
        self._step = self._busy = 0.0  # seconds between frames, and for which one is analysed

    def paced(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield each frame when it is due; at once if it is late."""
        for frame in frames:
            self._wait(frame)
            yield frame

    def timed(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield the frames to the analysis, and measure how long it takes for each."""
        for frame in frames:
            start = self._clock()
            yield frame
            self._busy += SMOOTHING * (self._clock() - start - self._busy)

    def may_drop(self) -> bool:
        """True if frames are to be dropped for the one that came last."""
        return self.behind or self._late > PATIENCE

    @property
    def _late(self) -> float:
        return self._clock() - self._due

    def _wait(self, frame: Frame) -> None:
        now, needed = self._clock(), frame.captured - frame.time
        if self._delay is None:
            self._delay = now - frame.time
        else:
            self._step += SMOOTHING * (frame.time - self._time - self._step)
        self._recent.add(frame.time, frame.captured)
        self._delay = max(self._delay, needed)  # it arrived late: those behind it wait as long
        wait = frame.time + self._delay - now
        if wait > LONGEST_WAIT:
            self._delay, wait = now - frame.time, 0.0
        if wait > 0:
            spare = self._recent.spare(self._delay)
            saved = min(spare, CATCH_UP * wait) if spare < MOST_SPARE else 0.0
            self._delay -= saved
            self._sleep(wait - saved)
        self._time, self._due = frame.time, frame.time + self._delay
        if self._late > PATIENCE:
            self.behind = True
        elif self._busy < KEEPS_UP * self._step:
            self.behind = False


class RecentDelays:
    """The delays that the frames of some seconds needed, of a few bursts if these are longer.

    Frames that a server had ready when the stream was opened say nothing of those to come: they
    count from the first one on that did not arrive together with the one before it.
    """

    def __init__(self) -> None:
        self._begun = False
        self._last: tuple[float, float] | None = None
        self._delays: deque[tuple[float, float, float]] = deque()  # time, delay, gap before

    def add(self, time: float, arrived: float) -> None:
        """Add a frame by its times in the stream and by the clock."""
        last_time, last_arrived = self._last or (time, arrived)
        self._last = time, arrived
        gap, step = arrived - last_arrived, time - last_time
        self._begun = self._begun or gap > step / 2
        if not self._begun:
            return
        self._delays.append((time, arrived - time, min(gap, LONGEST_GAP)))
        span = max(RECENT, RECENT_GAPS * max(gap for _, _, gap in self._delays))
        while self._delays[0][0] < time - span:
            self._delays.popleft()

    def spare(self, delay: float) -> float:
        """Seconds by which a delay is longer than any that was needed; 0 if that is not known."""
        needed = max((needed for _, needed, _ in self._delays), default=delay)
        return max(0.0, delay - needed)
