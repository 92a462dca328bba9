"""A part of a video file as a source: for work that is shared out by time."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import av

from preprocessing.errors import SourceError
from realtime.sources.video import VideoSource
from realtime.types import Frame


@dataclass(frozen=True)
class Part:
    """Frames of a file.

    Attributes:
        path: of the file.
        first, last: numbers of its frames, `last` not among them.
        start: presentation time of the first one in ticks of the stream.
    """

    path: str
    first: int
    last: int
    start: int


def parts_of(path: str, frames: int) -> list[Part]:
    """A file in parts of so many frames, by reading its packets' times alone.

    Raises:
        SourceError: it is no video, or has no times.
    """
    try:
        with av.open(path, metadata_errors="replace") as container:
            stream = next(iter(container.streams.video), None)
            if stream is None:
                raise SourceError(f"no video stream in {path}: name a file that holds video")
            times = sorted(p.pts for p in container.demux(stream) if p.pts is not None)
    except (av.FFmpegError, OSError) as error:
        raise SourceError(f"cannot read {path}: {error}") from error
    if not times:
        raise SourceError(f"{path} holds no frame with a time")
    return [
        Part(path, first, min(first + frames, len(times)), times[first])
        for first in range(0, len(times), frames)
    ]


class PartSource:
    """The frames of a part, with the numbers and times that they have in the whole file."""

    def __init__(self, part: Part):
        self._part = part
        self._source = VideoSource(part.path, network=False, start=part.start)
        count = part.last - part.first
        self.info = replace(
            self._source.info, name=f"{Path(part.path).name}, {part.first} to {part.last}",
            frames=count, path=None,
        )  # fmt: skip

    @property
    def failed(self) -> int:
        """Packets that could not be decoded."""
        return self._source.failed

    def __enter__(self) -> "PartSource":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._source.__exit__(*exc_info)

    def __iter__(self) -> Iterator[Frame]:
        wanted = range(self._part.first, self._part.last)
        ahead = self._source.info.shift / self._source.info.time_base
        frames = (f for f in self._source if f.pts - ahead >= self._part.start)
        for number, frame in zip(wanted, frames, strict=False):
            yield replace(frame, index=number)
