"""One rising time for the packets of a file: recordings that were joined, clocks that jump."""

from fractions import Fraction
from heapq import heappop, heappush
from typing import Protocol

import av

BACK = 1.0  # seconds by which times fall where another recording begins
FORTH = 10.0  # seconds by which they rise there, in transport streams


class TimedPacket(Protocol):
    """A packet's times in ticks, without its content."""

    dts: int | None
    pts: int | None
    duration: int | None


class Timeline:
    """Moves the packets of the picture behind a jump of their clock to where those before end.

    The sound of a file takes the same offsets, see sinks/audio.py.

    Args:
        stream: the picture.
        live: times that rise by far are a true gap.

    Attributes:
        offset, before: ticks added to times now, and before the last jump.
        tick: seconds.
    """

    def __init__(self, stream: "av.VideoStream", *, live: bool = False):
        self.offset = self.before = 0
        flags = av.format.Flags(stream.container.format.flags)
        self.tick = stream.time_base or Fraction(1, av.time_base)
        self._step = frame_ticks(stream)
        self._forth = FORTH if av.format.Flags.ts_discont in flags and not live else float("inf")
        self._next: int | None = None  # the expected time, moved

    def place(self, packet: "av.Packet | TimedPacket") -> bool:
        """Move a packet's times; return True at a jump."""
        if packet.dts is None:
            if packet.pts is not None:
                packet.pts += self.offset
            return False
        time = packet.dts + self.offset
        off = 0.0 if self._next is None else (time - self._next) * float(self.tick)
        jumped = self._next is not None and not -BACK <= off <= self._forth
        if jumped and self._next is not None:
            self.before, self.offset = self.offset, self._next - packet.dts
        packet.dts += self.offset
        if packet.pts is not None:
            packet.pts += self.offset
        self._next = packet.dts + (packet.duration or self._step)
        return jumped

    def sought(self) -> None:
        """Take the next packet's time as it is, whatever lies between it and the last one."""
        self._next = None


class DisplayTimes:
    """Times of pictures in containers whose packets have none but the order of decoding (AVI).

    The first picture to be shown has the earliest time, and so on.

    Attributes:
        sorts: True for such a container.
    """

    def __init__(self, container: "av.container.InputContainer"):
        self.sorts = in_decoding_order(container)
        self._times: list[int] = []

    def see(self, packet: "av.Packet") -> None:
        """Take the time of a packet that is decoded next."""
        if self.sorts and packet.size and packet.dts is not None:
            heappush(self._times, packet.dts)

    def timed(self, picture: "av.VideoFrame") -> "av.VideoFrame":
        """Return a decoded picture with its time."""
        if self.sorts:
            picture.pts = heappop(self._times) if self._times else None
        return picture

    def clear(self) -> None:
        """Forget the packets whose pictures do not come any more."""
        self._times.clear()


def in_decoding_order(container: "av.container.InputContainer") -> bool:
    """True if the times of its packets are those of decoding."""
    return container.format.name == "avi"


def frame_ticks(stream: "av.VideoStream") -> int:
    """The mean length of a frame in ticks, at least one."""
    rate = stream.average_rate
    return max(1, round(1 / (rate * stream.time_base))) if rate and stream.time_base else 1
