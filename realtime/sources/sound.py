"""The sound of a source for the copy in its labelled video: of a file, or of what is read once."""

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, islice

import av
from av.audio.stream import AudioStream

from preprocessing.errors import printable
from realtime.sources.addresses import media_location
from realtime.sources.containers import picture_stream

SAMPLE_PACKETS = 500  # packets of a file in which each of its tracks is expected
AHEAD_PACKETS = 100  # of a pipe, whose packets wait in memory
logger = logging.getLogger(__name__)


class FileSound:
    """The sound of a file, which is read a second time, at the pace of the copy.

    Attributes:
        picture: None if the file cannot be read; the tracks are none then.
    """

    def __init__(self, path: str):
        self.name = path
        self._container = self._opened()
        self.picture = picture_stream(self._container) if self._container else None
        sounds = self._container.streams.audio if self._container else ()
        self.tracks: Sequence[AudioStream] = sounds

    def _opened(self) -> "av.container.InputContainer | None":
        try:
            return av.open(media_location(self.name), metadata_errors="replace")
        except (av.FFmpegError, OSError) as error:
            reason = getattr(error, "strerror", None) or error
            logger.warning(
                "%s: its sound cannot be read and is left out (%s)", printable(self.name), reason
            )
            return None

    def samples(self) -> dict[int, bytes]:
        """Return the content of each track's first packet, by the index of its stream."""
        return first_packets(self.name) if self.tracks else {}

    def packets(self, tracks: Sequence[AudioStream]) -> Iterator["av.Packet"]:
        """Yield the packets of the picture and of these tracks, in the order of the file.

        Raises:
            FFmpegError, OSError: it cannot be read further.
        """
        if self._container:
            pictures = [self.picture] if self.picture else []
            yield from self._container.demux(*pictures, *tracks)

    def seek(self, seconds: Fraction) -> None:
        """Begin at the last key frame before a time, where that can be found."""
        if self._container:
            with suppress(av.FFmpegError, OSError):
                self._container.seek(round(seconds * av.time_base))

    def close(self) -> None:
        """Close the file."""
        if self._container:
            self._container.close()


def first_packets(path: str) -> dict[int, bytes]:
    """The content of each sound track's first packet, by the index of its stream."""
    found: dict[int, bytes] = {}
    with (
        suppress(av.FFmpegError),
        av.open(media_location(path), metadata_errors="replace") as container,
    ):
        tracks = container.streams.audio
        for packet in islice(container.demux(*tracks) if tracks else (), SAMPLE_PACKETS):
            if packet.size:
                found.setdefault(packet.stream_index, bytes(packet))
            if len(found) == len(tracks):
                break
    return found


class LookAhead:
    """Packets with their arrivals, of which some may be read before their turn."""

    def __init__(self, packets: Iterator[tuple["av.Packet", float]]):
        self._packets = packets
        self._waiting: deque[tuple[av.Packet, float]] = deque()
        self._error: Exception | None = None

    def __iter__(self) -> "LookAhead":
        return self

    def __next__(self) -> tuple["av.Packet", float]:
        if self._waiting:
            return self._waiting.popleft()
        if self._error:
            raise self._error
        return next(self._packets)

    def ahead(self) -> Iterator["av.Packet"]:
        """Yield the packets that come next, which stay in their places."""
        yield from [packet for packet, _ in self._waiting]
        while not self._error:
            try:
                read = next(self._packets, None)
            except (av.FFmpegError, OSError) as error:
                self._error = error
                return
            if read is None:
                return
            self._waiting.append(read)
            yield read[0]


@dataclass
class PictureTimes:
    """The times of a packet of the picture, in ticks; they decide where the sound belongs."""

    stream_index: int
    dts: int | None
    pts: int | None
    duration: int | None
    size: int


class SoundTape:
    """The sound of a source that can be read only once, taken along as its packets are read.

    The source iterates it, on its own thread; the copy takes packets off, which never waits: None
    stands for "nothing there yet". Sound that nobody wants is not kept.

    Args:
        ahead: the source's packets.
    """

    def __init__(
        self,
        name: str,
        picture: "av.VideoStream",
        tracks: Sequence[AudioStream],
        ahead: LookAhead,
    ):
        self.name, self.tracks = name, tracks
        self.picture: av.VideoStream | None = picture
        self._picture_index = picture.index
        self._wanted, self._keeps, self._holds = False, True, 1
        self._ahead = ahead
        self._tape: deque[av.Packet | PictureTimes] = deque()
        self._ended = False

    def __iter__(self) -> Iterator[tuple["av.Packet", float]]:
        """Yield the source's packets with their arrivals, and take their sound along.

        Raises:
            FFmpegError, OSError: it cannot be read further.
        """
        try:
            for packet, arrived in self._ahead:
                if self._keeps:
                    is_picture = packet.stream_index == self._picture_index
                    # Times of the picture are changed once it is read.
                    self._tape.append(times_of(packet) if is_picture else packet)
                yield packet, arrived
        finally:
            self._ended = True

    def hold(self) -> None:
        """Keep packets for one `release` more, whether or not somebody wants them by then."""
        self._holds += 1

    def release(self) -> None:
        """Keep packets from now on only if somebody wants them: the outputs are open."""
        self._holds -= 1
        if not self._holds and not self._wanted:
            self.close()

    def samples(self) -> dict[int, bytes]:
        """Return the content of each track's first packet, by the index of its stream.

        What cannot be read is reported where it is its turn.
        """
        found: dict[int, bytes] = {}
        there = [one for one in self._tape if isinstance(one, av.Packet)]
        for packet in chain(there, islice(self._ahead.ahead(), AHEAD_PACKETS)):
            if packet.stream.type == "audio" and packet.size:
                found.setdefault(packet.stream_index, bytes(packet))
            if len(found) == len(self.tracks):
                break
        return found

    def packets(self, tracks: Sequence[AudioStream]) -> Iterator["av.Packet | PictureTimes | None"]:
        """Yield the packets of the picture and of these tracks; None where none is there yet."""
        self._wanted = True
        return self._packets({self._picture_index, *(track.index for track in tracks)})

    def _packets(self, indices: set[int]) -> Iterator["av.Packet | PictureTimes | None"]:
        while True:
            ended = self._ended  # before the look at the tape: the last packet comes before it
            if self._tape:
                packet = self._tape.popleft()
                if packet.stream_index in indices:
                    yield packet
            elif ended:
                return
            else:
                yield None

    def seek(self, seconds: Fraction) -> None:
        """Do nothing: what can be read only once is read from its start."""

    def close(self) -> None:
        """Keep no more packets."""
        self._keeps = False
        self._tape.clear()


def times_of(packet: "av.Packet") -> PictureTimes:
    """Return the times of a packet as they are now."""
    return PictureTimes(packet.stream_index, packet.dts, packet.pts, packet.duration, packet.size)
