"""Segments of video files, for workers that share a file."""

import os
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import av.logging

from preprocessing.errors import SourceError
from preprocessing.files import media_url
from realtime.runtime.cut import ROUNDING, Cut
from realtime.sources.containers import beginning, picture_stream, sound_starts
from realtime.sources.files_and_streams import VideoSource
from realtime.sources.timeline import Timeline, in_decoding_order
from realtime.types import WHOLE, Frame, Part

MARGINS = (0.0, 2.0, 20.0)  # seconds by which to seek earlier where decoding began too late


@dataclass(frozen=True)
class Segment:
    """Consecutive frames of a file: those whose times are from `start` to before `end`.

    Attributes:
        path: of the file.
        first, last: indices of its packets among those of the file, `last` excluded. Of damaged
            ones no frame comes.
        start: presentation time of the first one in ticks of the stream.
        end: that of the first one behind it; None to read to the end of the file.
        shift: seconds that are added to the file's times, so that they begin at 0.
        part: of the file, to which its segments are limited.
        sought: False if the file is read from its beginning.
        incomplete: packets of which the container lacks a part, whatever they decode to.
        skipped: True if a damaged part of the file, with an unknown number of packets, cannot be
            read.
    """

    path: str
    first: int
    last: int
    start: int
    end: int | None = None
    shift: Fraction = Fraction(0)
    part: Part = WHOLE
    sought: bool = True
    incomplete: int = 0
    skipped: bool = False


@dataclass(frozen=True)
class Packets:
    """The times of a file's packets of pictures.

    Attributes:
        ticks: presentation times in ascending order, as frames get them.
        tick: seconds.
        beginning: seconds of the file's time that becomes 0.
        joined: True for recordings joined end to end, whose own times jump.
        incomplete: times of the packets of which the container lacks a part; where two recordings
            meet that is no damage.
        skipped: True if a damaged part of the file cannot be read.
    """

    ticks: list[int]
    tick: Fraction
    beginning: Fraction
    joined: bool
    incomplete: list[int]
    skipped: bool


def segments_of(path: str, frames: int, cut: Cut | None = None) -> list[Segment]:
    """Split a file into segments of so many frames; reads only the times of its packets.

    Joined recordings, whose times cannot be sought, are one segment.

    Args:
        cut: whose start and end limit them; None for the whole file.

    Raises:
        SourceError: it is not a video, has no times, or ends before the cut begins.
    """
    if not os.path.isfile(path):
        raise SourceError(f"{path} is no file: an archive holds files, which are read in parts")
    packets = _packets_of(path)
    times, shift, part = packets.ticks, -packets.beginning, WHOLE
    if cut:
        times, shift, part = _limited(times, packets.tick, shift, cut=cut)
        if not times:
            raise SourceError(f"{path} has no frame from --start to --end")
    step = len(times) if packets.joined else frames
    behind = bisect_right(packets.ticks, times[-1])
    ends = [*times[step::step], packets.ticks[behind] if behind < len(packets.ticks) else None]
    return [
        Segment(path, first, min(first + step, len(times)), times[first], end, shift, part,
                sought=not packets.joined and times[first] > packets.ticks[0],
                incomplete=_within(packets.incomplete, times[first], end),
                skipped=packets.skipped)
        for first, end in zip(range(0, len(times), step), ends, strict=True)
    ]  # fmt: skip


def _within(times: list[int], start: int, end: int | None) -> int:
    return sum(start <= time and (end is None or time < end) for time in times)


def _packets_of(path: str) -> Packets:
    """Read the times of a file's packets, as far as a damaged file can be read.

    Raises:
        SourceError: it is not a video, or has no times.
    """
    times: list[int] = []
    incomplete: list[int] = []
    error: Exception | None = None
    complaints: list[str] = []
    try:
        with av.open(media_url(path), metadata_errors="replace") as container:
            stream = picture_stream(container)
            if stream is None:
                raise SourceError(f"no video stream in {path}: name a file that holds video")
            sounds, timeline = sound_starts(container), Timeline(stream)
            decoding = in_decoding_order(container)
            with _complaints(container) as complaints:
                try:
                    for packet in container.demux(stream):
                        timeline.place(packet)
                        time = packet.dts if decoding else packet.pts
                        if packet.size and not packet.is_discard and time is not None:
                            times.append(time)
                            if packet.is_corrupt:
                                incomplete.append(time)
                except (av.FFmpegError, OSError) as found:
                    error = found  # frames before it are there
    except (av.FFmpegError, OSError) as found:
        raise SourceError(f"cannot read {path}: {found}") from found
    if not times:
        raise SourceError(f"{path} holds no frame with a time" + (f" ({error})" if error else ""))
    times.sort()
    first = beginning(times[0] * timeline.tick, sounds)
    joined = bool(timeline.offset)
    return Packets(times, timeline.tick, first, joined, [] if joined else incomplete,
                   skipped=bool(complaints))  # fmt: skip


@contextmanager
def _complaints(container: "av.container.InputContainer") -> Iterator[list[str]]:
    """The errors that FFmpeg logs of a Matroska file while it reads one.

    It reads on behind damaged elements, and says so nowhere else.
    """
    found: list[str] = []
    if not container.format.name.startswith("matroska"):
        yield found
        return
    level = av.logging.get_level()
    av.logging.set_level(av.logging.ERROR)
    try:
        with av.logging.Capture() as lines:
            yield found
    finally:
        av.logging.set_level(level)
    found += [text for _, name, text in lines if name.startswith("matroska")]


def _limited(
    times: list[int], tick: Fraction, shift: Fraction, *, cut: Cut
) -> tuple[list[int], Fraction, Part]:
    """The times within a cut, and the shift by which those begin at 0 where it has a start."""
    start = cut.start - ROUNDING - shift
    end = None if cut.end is None else cut.end - ROUNDING - shift
    kept = [time for time in times if start <= time * tick and (end is None or time * tick < end)]
    moved = -kept[0] * tick if kept and cut.start else shift
    until = None if cut.end is None else cut.end - shift + moved
    return kept, moved, Part(since=Fraction(0) if cut.start else None, until=until)


class SegmentSource:
    """The frames of a segment, with their times in the whole file.

    Their indices begin at the segment's first and leave none out: who joins segments of a damaged
    file counts on from those before.

    Attributes:
        began: time of the first frame that was given, in seconds; None before it.

    Raises:
        SourceError: the file does not open any more, or nothing from there on can be decoded.
    """

    def __init__(self, segment: Segment):
        self._segment = segment
        self.began: Fraction | None = None
        self._source = _opened_before(segment)
        name = f"{Path(segment.path).name}, {segment.first} to {segment.last}"
        count, info = segment.last - segment.first, self._source.info
        self._moved = round((segment.shift - info.shift) / info.time_base)  # of a cut: below 0
        shift = info.shift + self._moved * info.time_base
        self.info = replace(
            info, name=name, frames=count, path=None, shift=shift, part=segment.part
        )

    @property
    def failed(self) -> int:
        """Packets that could not be decoded, those before the segment included."""
        return self._source.failed

    def __enter__(self) -> "SegmentSource":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._source.__exit__(*exc_info)

    def __iter__(self) -> Iterator[Frame]:
        segment, index = self._segment, self._segment.first
        shift = round(self._source.info.shift / self._source.info.time_base)
        for frame in self._source:
            time = frame.pts - shift
            if segment.end is not None and time >= segment.end:
                return
            if time >= segment.start:
                pts = frame.pts + self._moved
                if self.began is None:
                    self.began = pts * frame.time_base
                yield replace(frame, index=index, pts=pts)
                index += 1


def _opened_before(segment: Segment) -> VideoSource:
    """The file of a segment, read from where the segment's first frame can still be decoded.

    A seek may end behind the key frame: it is then repeated from earlier on, at last from the
    beginning of the file.
    """
    for margin in MARGINS if segment.sought else ():
        try:
            source = VideoSource(segment.path, network=False, start=segment.start,
                                 margin=margin, shift=segment.shift)  # fmt: skip
        except (SourceError, av.FFmpegError, OSError):
            continue
        if source.first <= segment.start:
            return source
        source.__exit__()
    return VideoSource(segment.path, network=False, shift=segment.shift)
