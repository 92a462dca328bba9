"""The camera of the viewer's browser as a source; the browser sends JPEGs over a WebSocket."""

import io
import time
from collections.abc import Iterator

import cv2
import numpy as np
from PIL import Image

from realtime.runtime.worker import Channel
from realtime.sources.source import TIME_BASE, LiveClock
from realtime.types import Frame, SourceInfo

MAX_BYTES = 4 * 2**20  # of a picture
MAX_PIXELS = 4096 * 4096


class BrowserCamera:
    """A live source that is fed from outside; only the newest picture is kept.

    Args:
        width, height: of the pictures, in pixels.
    """

    def __init__(self, width: int, height: int):
        self.failed = 0
        self._channel: Channel[tuple[bytes, float]] = Channel(1, drop_oldest=True)
        self.info = SourceInfo(
            name="browser", width=width, height=height, rate=None, time_base=TIME_BASE,
            frames=None, live=True,
        )  # fmt: skip

    def __enter__(self) -> "BrowserCamera":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def feed(self, jpeg: bytes) -> bool:
        """Take a picture; return False once the source is closed."""
        return self._channel.send((jpeg, time.monotonic()))

    def close(self) -> None:
        """End the source: no picture is taken any more."""
        self._channel.close()

    def __iter__(self) -> Iterator[Frame]:
        clock, count = LiveClock(), 0
        for jpeg, captured in self._channel.receive():
            image = decoded(jpeg)
            if image is None:
                self.failed += 1
                continue
            yield Frame(image, count, clock.ticks(captured), TIME_BASE, captured)
            count += 1


def jpeg_size(jpeg: bytes) -> tuple[int, int] | None:
    """The width and height in a JPEG's header; None if it is none, or has too many pixels."""
    try:
        with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as picture:
            width, height = picture.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return (width, height) if width * height <= MAX_PIXELS else None


def decoded(jpeg: bytes) -> np.ndarray | None:
    """The BGR uint8 (H, W, 3) image of a JPEG; None for one that is damaged or too large."""
    if jpeg_size(jpeg) is None:
        return None
    try:
        return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
