"""Packets of streams, each with its arrival; of live ones read as they arrive.

A server that sends what nobody reads closes the connection or drops packets, so those of a live
stream are read on a thread of their own, from the opening on, also while networks are loaded.
"""

from collections.abc import Iterator
from time import monotonic

import av

from realtime.runtime.worker import Prefetch

WAITING_BYTES = 32_000_000  # of packets that arrived before their turn; then the server waits


class Packets:
    """The packets of a container's streams, and the time.monotonic() at which each was read.

    Args:
        live: True to read on a thread, from now on.

    Attributes:
        reading: True while a read is under way.
    """

    def __init__(
        self,
        container: "av.container.InputContainer",
        streams: "tuple[av.stream.Stream, ...]",
        *,
        live: bool,
    ):
        self._container, self._streams = container, streams
        self.reading = False
        self._thread: Prefetch[tuple[av.Packet, float]] | None = None
        if live:
            self._thread = Prefetch(
                self._read(), size=WAITING_BYTES, drop_oldest=False, weigh=lambda one: one[0].size
            )
            self._thread.__enter__()

    def __iter__(self) -> Iterator[tuple["av.Packet", float]]:
        """Yield packets in order; those of a file again from where it was sought.

        Raises:
            FFmpegError, OSError: reading failed; every packet before was given.
        """
        return self._thread.items() if self._thread else self._read()

    def close(self) -> None:
        """Close the container, unless a read hangs: it keeps its memory and ends on its own."""
        if self._thread:
            self._thread.__exit__(None, None, None)
        if not self.reading:
            self._container.close()

    def _read(self) -> Iterator[tuple["av.Packet", float]]:
        packets = self._container.demux(*self._streams)
        while True:
            self.reading = True
            try:
                packet = next(packets, None)
            finally:
                self.reading = False
            if packet is None:
                return
            yield packet, monotonic()


def rtsp_options(url: str) -> tuple[str, dict[str, str]]:
    """Return an RTSP address without its choice of a transport, and FFmpeg's options for that.

    The default is TCP where the server has it: over UDP packets are lost.
    """
    address, _, choice = url.rpartition("?")
    if choice in ("tcp", "udp"):
        return address, {"rtsp_transport": choice}
    return url, {"rtsp_flags": "prefer_tcp"}
