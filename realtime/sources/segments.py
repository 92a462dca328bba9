"""Segments of video files, for workers that share a file."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av

from preprocessing.errors import SourceError
from preprocessing.files import media_url
from realtime.cut import ROUNDING, Cut
from realtime.sources.containers import beginning, picture_stream, sound_starts
from realtime.sources.files_and_streams import VideoSource
from realtime.sources.timeline import in_decoding_order
from realtime.types import WHOLE, Frame, Part


@dataclass(frozen=True)
class Segment:
    """Consecutive frames of a file.

    Attributes:
        path: of the file.
        first, last: indices of its frames, `last` excluded.
        start: presentation time of the first one in ticks of the stream.
        shift: seconds that are added to the file's times, so that they begin at 0.
        part: of the file, to which its segments are limited.
    """

    path: str
    first: int
    last: int
    start: int
    shift: Fraction = Fraction(0)
    part: Part = WHOLE


def segments_of(path: str, frames: int, cut: Cut | None = None) -> list[Segment]:
    """Split a file into segments of so many frames; reads only the times of its packets.

    Args:
        cut: whose start and end limit them; None for the whole file.

    Raises:
        SourceError: it is not a video, has no times, or ends before the cut begins.
    """
    if not os.path.isfile(path):
        raise SourceError(f"{path} is no file: an archive holds files, which are read in parts")
    try:
        with av.open(media_url(path), metadata_errors="replace") as container:
            stream = picture_stream(container)
            if stream is None:
                raise SourceError(f"no video stream in {path}: name a file that holds video")
            sounds, tick = sound_starts(container), stream.time_base or Fraction(1, av.time_base)
            decoding = in_decoding_order(container)
            shown = (p for p in container.demux(stream) if p.size and not p.is_discard)
            found = (p.dts if decoding else p.pts for p in shown)
            times = sorted(time for time in found if time is not None)
    except (av.FFmpegError, OSError) as error:
        raise SourceError(f"cannot read {path}: {error}") from error
    if not times:
        raise SourceError(f"{path} holds no frame with a time")
    shift, part = -beginning(times[0] * tick, sounds), WHOLE
    if cut:
        times, shift, part = _limited(times, tick, shift, cut=cut)
        if not times:
            raise SourceError(f"{path} has no frame from --start to --end")
    return [
        Segment(path, first, min(first + frames, len(times)), times[first], shift, part)
        for first in range(0, len(times), frames)
    ]


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
    """The frames of a segment, with their indices and times in the whole file."""

    def __init__(self, segment: Segment):
        self._segment = segment
        self._source = VideoSource(
            segment.path, network=False, start=segment.start, shift=segment.shift
        )
        name = f"{Path(segment.path).name}, {segment.first} to {segment.last}"
        count, info = segment.last - segment.first, self._source.info
        self._moved = round((segment.shift - info.shift) / info.time_base)  # of a cut: below 0
        shift = info.shift + self._moved * info.time_base
        self.info = replace(
            info, name=name, frames=count, path=None, shift=shift, part=segment.part
        )

    @property
    def failed(self) -> int:
        """Packets that could not be decoded."""
        return self._source.failed

    def __enter__(self) -> "SegmentSource":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._source.__exit__(*exc_info)

    def __iter__(self) -> Iterator[Frame]:
        wanted = range(self._segment.first, self._segment.last)
        shift = self._source.info.shift / self._source.info.time_base
        frames = (frame for frame in self._source if frame.pts - shift >= self._segment.start)
        for index, frame in zip(wanted, frames, strict=False):
            yield replace(frame, index=index, pts=frame.pts + self._moved)
