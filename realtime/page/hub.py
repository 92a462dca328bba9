"""Fan-out of pictures from the pipeline's thread to all viewers; a slow viewer loses frames."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import cv2
import numpy as np

QUALITY = 80  # of JPEG, 0 to 100


class Hub:
    """Newest picture for all viewers; encoded once, and only while there is a viewer."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._viewers: set[asyncio.Queue[bytes | None]] = set()
        self._last: np.ndarray | None = None
        self.closed = False

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
        """Yield JPEGs until the hub closes, beginning with the last one."""
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(1)
        if self._last is not None:
            queue.put_nowait(encoded(self._last))
        self._viewers.add(queue)
        try:
            while not self.closed and (picture := await queue.get()) is not None:
                yield picture
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
