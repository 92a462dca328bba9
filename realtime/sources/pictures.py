"""A picture file, or a folder of them, as a source."""

import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from preprocessing.errors import DataError, SourceError
from preprocessing.images.pictures import SUFFIXES, read_picture
from realtime.types import Frame, SourceInfo

PICTURE_SUFFIXES = tuple(sorted(SUFFIXES - {".gif"}))  # a GIF is a video here
RATE = Fraction(25)  # pictures a second


class PictureSource:
    """A picture, or a folder of pictures in the order of their names, at RATE.

    Raises:
        SourceError: none of them can be read.
    """

    def __init__(self, path: Path, files: Sequence[Path]):
        self.failed = 0
        self._files = files
        first = next((image for image in map(_read, files) if image is not None), None)
        if first is None:
            raise SourceError(f"no readable picture in {path}: {len(files)} tried")
        self.info = SourceInfo(
            name=str(path),
            width=first.shape[1],
            height=first.shape[0],
            rate=RATE,
            time_base=1 / RATE,
            frames=len(files),
            live=False,
        )

    def __enter__(self) -> "PictureSource":
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass

    def __iter__(self) -> Iterator[Frame]:
        for index, file in enumerate(self._files):
            image = _read(file)
            if image is None:
                self.failed += 1
            else:
                yield Frame(image, index, index, self.info.time_base, time.monotonic())


def picture_files(folder: Path) -> list[Path]:
    """Return the folder's pictures by name.

    Raises:
        SourceError: there is none.
    """
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)
    if not files:
        raise SourceError(f"no pictures in {folder}: wanted {' '.join(PICTURE_SUFFIXES)}")
    return files


def _read(path: Path) -> np.ndarray | None:
    """The picture, BGR uint8 (H, W, 3); None if it cannot be read."""
    try:
        return read_picture(path)
    except DataError:
        return None
