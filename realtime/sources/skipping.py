"""Reads the packets of a file, and leaves out what pictures that are wanted do not need.

Where the next picture that is wanted lies ahead, only the packets from the key frame before it on
are decoded. What lies far ahead is sought, in files whose clock can be trusted.
"""

import os
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import islice

import av

from realtime.sources.addresses import media_location
from realtime.sources.containers import picture_stream
from realtime.sources.timeline import DisplayTimes, Timeline, frame_ticks

SEEKING = 5.0  # seconds ahead from which on seeking costs less than reading on
MARGINS = (0.0, 2.0, 20.0)  # seconds by which to seek earlier where no key frame was found before
MOST_WAITING = 600  # packets in memory, whose decoding may turn out to be needless
SEARCHED = 2000  # packets among which a key frame is expected
DECODING_ORDER = 16  # frames by which an AVI's times of decoding and of display may differ
SAMPLES = 32  # places of a file at which its clock is read
TIMEOUT = (10.0, 5.0)  # seconds, of network files


class SkippingReader:
    """The packets of a file's picture and sound, in order, those of the picture on its timeline.

    Args:
        packets: of the streams that are read, with their arrivals; again after a seek.
        picture: one of them.
        url: of the file.
        network: True if it lies on a server.
    """

    def __init__(
        self,
        container: "av.container.InputContainer",
        packets: "Iterable[tuple[av.Packet, float]]",
        picture: "av.VideoStream",
        *,
        timeline: Timeline,
        display: DisplayTimes,
        url: str,
        network: bool,
    ):
        self._container, self._source, self._picture = container, packets, picture
        self._timeline, self._display = timeline, display
        self._url, self._network = url, network
        self._packets = iter(packets)
        self._unread: deque[tuple[av.Packet, float]] = deque()
        self._waiting: list[av.Packet] = []  # not decoded yet
        self._due: int | None = None  # ticks of the picture that is wanted next
        self._gap = False  # packets before `_waiting` are left out
        self._first: int | None = None
        self._reached = 0
        self._slack = DECODING_ORDER * frame_ticks(self._picture) if display.sorts else 0
        self.may_seek: bool | None = None  # not known yet

    def read(self) -> "tuple[av.Packet, float] | None":
        """The next packet and its arrival; None at the end.

        Raises:
            av.FFmpegError, OSError: the file cannot be read further.
        """
        if self._unread:
            return self._unread.popleft()
        read = next(self._packets, None)
        if read is not None and read[0].stream_index == self._picture.index:
            self._timeline.place(read[0])
            if (time := _time(read[0])) is not None:
                self._reached = time
                self._first = time if self._first is None else self._first
        return read

    def chosen(self, packet: "av.Packet") -> "Sequence[av.Packet]":
        """The packets of the picture that are to be decoded now, of this one and those before."""
        if self._due is None:
            return (packet,)
        time = _time(packet)
        if time is not None and packet.is_keyframe and time + self._slack <= self._due:
            self._gap = self._gap or bool(self._waiting)
            self._waiting.clear()
        self._waiting.append(packet)
        if time is not None and time < self._due and len(self._waiting) < MOST_WAITING:
            return ()
        if time is None or time >= self._due:
            self._due = None
        released, self._waiting = self._waiting, []
        if self._gap:  # what the decoder still holds comes before it
            self._picture.codec_context.flush_buffers()
            self._display.clear()
        self._gap = False
        return released

    def skip_to(self, due: int) -> None:
        """Leave out pictures before a time, in ticks on the timeline; some may still come."""
        ahead = (due - self._reached) * float(self._timeline.tick)
        if ahead >= SEEKING and not self._timeline.offset and self._can_seek(due):
            self._seek(due)
        self._due = due

    def _can_seek(self, due: int) -> bool:
        if self.may_seek is None:
            flags = av.format.Flags(self._container.format.flags)
            if av.format.Flags.no_timestamps in flags:
                self.may_seek = False
            elif self._network:
                self.may_seek = _server_seeks(self._url, due)
            elif av.format.Flags.ts_discont in flags:
                self.may_seek = self._is_file() and clock_rises(self._url)
            else:
                self.may_seek = self._is_file()
        return self.may_seek

    def _is_file(self) -> bool:
        """True unless it is a pipe, or a device, which are read from start to end."""
        return os.path.isfile(self._url.removeprefix("file:"))

    def _seek(self, due: int) -> None:
        """Continue at the last key frame before a time, or where that cannot be found at 0."""
        reached = self._reached
        for margin in MARGINS:
            found = self._land(due - round(margin / self._timeline.tick))
            if found is not None and found + self._slack <= due:
                self.may_seek = found > reached  # else key frames lie further apart than that
                return
        self.may_seek = False
        self._land(self._first or 0)

    def _land(self, time: int) -> int | None:
        """Seek; return the time of the key frame that is read next, None if there is none."""
        self._unread.clear()
        self._waiting.clear()
        self._gap = True
        self._timeline.sought()
        with suppress(av.FFmpegError, OSError):
            self._container.seek(time, stream=self._picture)
            self._packets = iter(self._source)
            for packet, arrived in islice(iter(self.read, None), SEARCHED):
                is_picture = packet.stream_index == self._picture.index
                if is_picture and packet.is_keyframe and (found := _time(packet)) is not None:
                    self._unread.append((packet, arrived))
                    return found
        return None


def _time(packet: "av.Packet") -> int | None:
    return packet.pts if packet.pts is not None else packet.dts


def _server_seeks(url: str, time: int) -> bool:
    """True if a server gives a file from the middle on, tried by another connection."""
    with suppress(av.FFmpegError, OSError), av.open(url, timeout=TIMEOUT) as trial:
        stream = picture_stream(trial)
        trial.seek(time, stream=stream)
        return any(packet.size for packet in islice(trial.demux(stream), 1))
    return False


def clock_rises(path: str) -> bool:
    """True if the times of a recording rise with its bytes: it was not joined of several."""
    times: list[int] = []
    with (
        suppress(av.FFmpegError, OSError),
        av.open(media_location(path), metadata_errors="replace") as trial,
    ):
        stream = picture_stream(trial)
        for number in range(SAMPLES):
            trial.seek(trial.size * number // SAMPLES, unsupported_byte_offset=True)
            packets = islice(trial.demux(stream), SEARCHED)
            times += islice((p.dts for p in packets if p.dts is not None), 1)
        return times == sorted(times)
    return False
