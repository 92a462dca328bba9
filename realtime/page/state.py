"""The page's view of a run: the newest picture for all viewers, and the state beside it."""

import asyncio
import threading
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import cv2
import numpy as np

from realtime.runtime.stats import Stats
from realtime.types import Garment, LabelledFrame, SourceInfo

REPEAT_SECONDS = 1.0  # after which a viewer gets the same picture again
QUALITY = 80  # of JPEG, 0 to 100
POINTS = 120  # of a curve
POINT_SECONDS = 0.25  # between them, in seconds of the source
MAX_TRACKS = 40  # on the timeline


class Hub:
    """Newest picture for all viewers; encoded once, and only while there is a viewer."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._viewers: set[asyncio.Queue[bytes | None]] = set()
        self._last: np.ndarray | None = None
        self.closed = False

    @property
    def viewers(self) -> int:
        """The number of those who receive the pictures."""
        return len(self._viewers)

    def attach(self) -> None:
        """Serve viewers on the running event loop."""
        self._loop = asyncio.get_running_loop()

    def show(self, image: np.ndarray) -> None:
        """Publish a BGR image (H, W, 3), which must not change afterwards; from any thread."""
        self._last = image
        if self._viewers and self._loop:
            picture = encoded(image)
            with suppress(RuntimeError):  # the event loop has ended
                self._loop.call_soon_threadsafe(self._offer, picture)

    def snapshot(self) -> bytes | None:
        """Return the last picture as JPEG; None before the first."""
        return None if self._last is None else encoded(self._last)

    async def pictures(self) -> AsyncIterator[bytes]:
        """Yield JPEGs until the hub closes, beginning with the last one.

        Where no new one comes, the last is yielded again: browsers show a part of MJPEG only once
        the next one begins.
        """
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(1)
        self._viewers.add(queue)
        picture = await asyncio.to_thread(self.snapshot)
        try:
            while not self.closed:
                if picture:
                    yield picture
                with suppress(TimeoutError):
                    async with asyncio.timeout(REPEAT_SECONDS):
                        picture = await queue.get()
        finally:
            self._viewers.discard(queue)

    def close(self) -> None:
        """End the pictures of all viewers; on the event loop."""
        self.closed = True
        self._offer(None)

    def _offer(self, picture: bytes | None) -> None:
        for queue in self._viewers:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(picture)


def encoded(image: np.ndarray) -> bytes:
    """Return a BGR image (H, W, 3) as JPEG."""
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()


@dataclass(eq=False)
class TimelineBar:
    """A track's time in view, in seconds of the source."""

    track: int
    label: str
    colour: str
    since: float
    until: float


class State:
    """Sink of the figures, the garments in view, their timeline and counts.

    Args:
        stats: those of the run.
        shade: colour (blue, green, red) in which the garments of a label are drawn.

    `write` is called on the sinks' thread, `report` on the server's.

    Attributes:
        labelled: the newest frame; None before the first.
        frozen: True to leave the picture of the hub as it is.
    """

    needs_picture = newest = True

    def __init__(self, hub: Hub, stats: Stats, shade: Callable[[str], tuple[int, int, int]]):
        self._hub, self._stats, self._shade = hub, stats, shade
        self._lock = threading.Lock()
        self.labelled: LabelledFrame | None = None
        self.frozen = False
        self._garments: Sequence[Garment] = ()
        self._bars: dict[int, TimelineBar] = {}
        self._past: Counter[str] = Counter()  # labels of tracks that left the timeline
        self._fps: deque[float] = deque(maxlen=POINTS)
        self._latency: deque[float] = deque(maxlen=POINTS)
        self._time, self._frames = 0.0, 0
        self._next_point = float("-inf")

    def open(self, info: SourceInfo) -> None:
        pass

    def close(self, *, complete: bool) -> None:
        pass

    def write(self, labelled: LabelledFrame) -> None:
        """Publish the frame and record its garments."""
        with self._lock:
            self._record(labelled)
        if not self.frozen:
            self._hub.show(labelled.picture)

    def show(self) -> None:
        """Publish the newest picture again, and those to come."""
        self.frozen = False
        if self.labelled:
            self._hub.show(self.labelled.picture)

    def _record(self, labelled: LabelledFrame) -> None:
        frame, self.labelled = labelled.frame, labelled
        self._garments, self._time, self._frames = labelled.garments, frame.time, frame.index + 1
        for garment in labelled.garments:
            if garment.label.known:
                self._extend(garment, frame.time)
        if frame.time >= self._next_point:
            self._next_point = frame.time + POINT_SECONDS
            self._fps.append(round(self._stats.fps, 1))
            self._latency.append(round(1000 * self._stats.latency, 1))

    def _extend(self, garment: Garment, time: float) -> None:
        label, colour = garment.label.name, garment.colour
        bar = self._bars.setdefault(
            garment.track, TimelineBar(garment.track, label, colour, time, time)
        )
        bar.label, bar.colour, bar.until = label, colour, time
        if len(self._bars) > MAX_TRACKS:
            oldest = min(self._bars.values(), key=lambda bar: bar.until)
            self._past[oldest.label] += 1
            del self._bars[oldest.track]

    def report(self) -> dict:
        """Return the state, ready for JSON."""
        with self._lock:
            return self._report()

    def _report(self) -> dict:
        bars = self._bars.values()
        return {
            "time": round(self._time, 2),
            "frames": self._frames,
            "fps": round(self._stats.fps, 1),
            "latency_ms": round(1000 * self._stats.latency, 1),
            "dropped": self._stats.dropped,
            "written": self._stats.written,
            "garments": [
                {"track": g.track, "person": g.person or None, "label": g.label.name,
                 "path": [[name, round(p, 3)] for name, p in g.label.path], "colour": g.colour,
                 "probability": round(g.label.probability, 3), "held": g.held,
                 "shade": "#{2:02x}{1:02x}{0:02x}".format(*self._shade(g.label.name)),
                 "attributes": dict(g.attributes)}
                for g in self._garments
            ],
            "counts": dict((self._past + Counter(bar.label for bar in bars)).most_common()),
            "timeline": [
                {"track": bar.track, "label": bar.label, "colour": bar.colour,
                 "from": round(bar.since, 2), "to": round(bar.until, 2)}
                for bar in bars
            ],
            "curves": {"fps": list(self._fps), "latency_ms": list(self._latency)},
        }  # fmt: skip
