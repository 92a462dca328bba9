"""A picture file, an animation, or a folder of them, as a source."""

import logging
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from preprocessing.errors import DataError, SourceError
from preprocessing.files import natural_key
from preprocessing.images.picture_kinds import is_picture
from preprocessing.images.pictures import PictureFrame, frame_count, picture_frames
from realtime.types import Frame, SourceInfo

RATE = Fraction(25)  # still pictures a second
TIME_BASE = Fraction(1, 1000)  # seconds a tick: formats of animations count milliseconds
SHOWN_ERRORS = 3  # unreadable pictures that are named; the others are counted
logger = logging.getLogger(__name__)


class PictureSource:
    """Pictures at RATE one after the other, animations with all frames at their own times.

    Raises:
        SourceError: none of them can be read.
    """

    def __init__(self, path: Path, files: Sequence[Path]):
        self.failed = 0
        self._files = files
        first, reason = _first_of(files)
        if first is None:
            where = f" in {path}, {len(files)} tried" if len(files) > 1 else ""
            raise SourceError(f"no readable picture{where}: {reason}")
        self.info = SourceInfo(
            name=str(path),
            width=first.image.shape[1],
            height=first.image.shape[0],
            rate=Fraction(1 / first.seconds).limit_denominator(1001) if first.seconds else RATE,
            time_base=TIME_BASE,
            frames=frame_count(files[0]) if len(files) == 1 else len(files),
            live=False,
        )

    def __enter__(self) -> "PictureSource":
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass

    def __iter__(self) -> Iterator[Frame]:
        index, seconds = 0, Fraction(0)
        for file in self._files:
            try:
                for frame in picture_frames(file):
                    pts = round(seconds / TIME_BASE)
                    yield Frame(frame.image, index, pts, TIME_BASE, time.monotonic())
                    index, seconds = index + 1, seconds + _length(frame)
            except DataError as error:
                self._count(error)
                index, seconds = index + 1, seconds + 1 / RATE  # a gap shows that one is missing
        if self.failed > SHOWN_ERRORS:
            logger.warning("%d pictures in %s could not be read", self.failed, self.info.name)

    def _count(self, error: DataError) -> None:
        self.failed += 1
        if self.failed <= SHOWN_ERRORS:
            logger.warning("%s", error)


def _length(frame: PictureFrame) -> Fraction:
    return Fraction(frame.seconds).limit_denominator(10**6) if frame.seconds else 1 / RATE


def _first_of(files: Sequence[Path]) -> tuple[PictureFrame | None, str]:
    """The first frame that can be read, or the reason why the first file cannot be."""
    reason = ""
    for file in files:
        try:
            return next(picture_frames(file)), ""
        except DataError as error:
            reason = reason or str(error)
    return None, reason


def picture_files(folder: Path) -> list[Path]:
    """Return the folder's pictures in natural order; hidden files are none.

    Raises:
        SourceError: there is none, or the folder cannot be read.
    """
    try:
        names = [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError as error:
        raise SourceError(f"cannot read the folder {folder}: {error.strerror}") from error
    files = sorted(filter(is_picture, names), key=natural_key)
    if not files:
        raise SourceError(f"no pictures and no videos in {folder}: name a folder that has some")
    return files
