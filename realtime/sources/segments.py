"""Segments of video files, for workers that share a file."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av

from preprocessing.errors import SourceError
from preprocessing.files import media_url
from realtime.sources.files_and_streams import VideoSource
from realtime.sources.streams import beginning, picture_stream, sound_starts
from realtime.sources.timeline import in_decoding_order
from realtime.types import Frame


@dataclass(frozen=True)
class Segment:
    """Consecutive frames of a file.

    Attributes:
        path: of the file.
        first, last: indices of its frames, `last` excluded.
        start: presentation time of the first one in ticks of the stream.
        shift: seconds that are added to the file's times, so that they begin at 0.
    """

    path: str
    first: int
    last: int
    start: int
    shift: Fraction = Fraction(0)


def segments_of(path: str, frames: int) -> list[Segment]:
    """Split a file into segments of so many frames; reads only the times of its packets.

    Raises:
        SourceError: it is not a video, or has no times.
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
            found = (p.dts if decoding else p.pts for p in container.demux(stream) if p.size)
            times = sorted(time for time in found if time is not None)
    except (av.FFmpegError, OSError) as error:
        raise SourceError(f"cannot read {path}: {error}") from error
    if not times:
        raise SourceError(f"{path} holds no frame with a time")
    shift = -beginning(times[0] * tick, sounds)
    return [
        Segment(path, first, min(first + frames, len(times)), times[first], shift)
        for first in range(0, len(times), frames)
    ]


class SegmentSource:
    """The frames of a segment, with their indices and times in the whole file."""

    def __init__(self, segment: Segment):
        self._segment = segment
        self._source = VideoSource(
            segment.path, network=False, start=segment.start, shift=segment.shift
        )
        name = f"{Path(segment.path).name}, {segment.first} to {segment.last}"
        count = segment.last - segment.first
        self.info = replace(self._source.info, name=name, frames=count, path=None)

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
            yield replace(frame, index=index)
