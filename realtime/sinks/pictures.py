"""Pictures as outputs: the last frame with `-o FILE.png`, snapshots of new garments."""

from pathlib import Path

import numpy as np

from preprocessing.images.pictures import write_image
from realtime.types import LabelledFrame, SourceInfo

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg")


class PictureSink:
    """The last labelled frame as a picture."""

    needs_picture = True

    def __init__(self, path: Path):
        self._path = path
        self._last: np.ndarray | None = None

    def open(self, info: SourceInfo) -> None:
        pass

    def write(self, labelled: LabelledFrame) -> None:
        self._last = labelled.picture

    def close(self, *, complete: bool) -> None:
        if self._last is not None:
            write_image(self._path, self._last)


class SnapshotSink:
    """A PNG of the labelled frame in which a garment is first named, one a track."""

    needs_picture = True

    def __init__(self, folder: Path):
        self._folder = folder
        self._named: set[int] = set()  # tracks

    def open(self, info: SourceInfo) -> None:
        pass

    def write(self, labelled: LabelledFrame) -> None:
        named = {garment.track for garment in labelled.garments if garment.label.known}
        if named - self._named:
            self._named |= named
            save_snapshot(self._folder, labelled)

    def close(self, *, complete: bool) -> None:
        pass


def save_snapshot(folder: Path, labelled: LabelledFrame) -> None:
    """Write a labelled frame as frame-000123.png into a folder.

    Raises:
        SinkError: it cannot be written.
    """
    write_image(folder / f"frame-{labelled.frame.index:06d}.png", labelled.picture)
