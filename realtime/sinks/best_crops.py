"""The best picture of every garment: `--crops`, and the thumbnails of the report.

Crops are cut before anything is drawn on the frame.
"""

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from preprocessing.errors import SinkError
from preprocessing.images.pictures import write_image
from realtime.types import Frame, Garment

BETTER = 1.15  # times the last crop's worth from which a new one takes its place
CUT_OFF = 0.5  # what a garment is worth, of its size, that reaches out of the frame
COLUMNS = ("track", "label", "colour", "probability", "frame", "time", "file")


@dataclass(frozen=True, eq=False)
class Crop:
    """A garment's pixels, BGR uint8 (h, w, 3), and where they are from."""

    image: np.ndarray
    garment: Garment
    frame: int
    time: float


class BestCrops:
    """Keeps crops that are better than all before of their track: larger, surer, and whole.

    `see` is called frames ahead of `until`, and on another thread.
    """

    def __init__(self) -> None:
        self._worth: dict[int, float] = {}
        self._waiting: deque[Crop] = deque()

    def see(self, frame: Frame, garments: list[Garment]) -> None:
        """Cut what is better than before, from a frame that nothing is drawn on yet."""
        for garment in garments:
            if not garment.label.known:
                continue
            worth = _worth(garment, frame.image.shape)
            if worth > BETTER * self._worth.get(garment.track, 0.0):
                self._worth[garment.track] = worth
                x1, y1, x2, y2 = garment.region.window
                image = frame.image[y1:y2, x1:x2].copy()
                self._waiting.append(Crop(image, garment, frame.index, frame.time))

    def until(self, frame: Frame) -> Iterator[Crop]:
        """The crops of all frames up to this one that have not been taken yet."""
        while self._waiting and self._waiting[0].frame <= frame.index:
            yield self._waiting.popleft()


def _worth(garment: Garment, shape: tuple[int, ...]) -> float:
    x1, y1, x2, y2 = garment.region.window
    whole = x1 > 0 and y1 > 0 and x2 < shape[1] and y2 < shape[0]
    size = float(np.sqrt((x2 - x1) * (y2 - y1)))
    return size * garment.label.probability * (1.0 if whole else CUT_OFF)


class CropSink:
    """A JPEG a track in a folder, replaced when a better one is seen, and crops.csv.

    The last row of a track in crops.csv tells of the picture that is there.

    Raises:
        SinkError: the folder cannot be made or written.
    """

    def __init__(self, folder: Path):
        self._folder, self._best = folder, BestCrops()
        self.see = self._best.see
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = (folder / "crops.csv").open("w", buffering=1, newline="", encoding="utf-8")
        except OSError as error:
            raise SinkError(f"cannot write {folder} ({error.strerror}): give another --crops DIR"
                            ) from error  # fmt: skip
        self._rows = csv.DictWriter(self._file, COLUMNS)
        self._rows.writeheader()

    def __enter__(self) -> "CropSink":
        return self

    def write(self, frame: Frame, garments: list[Garment]) -> None:
        """Write the crops that wait.

        Raises:
            SinkError: the disk is full or the folder cannot be written any more.
        """
        for crop in self._best.until(frame):
            garment, name = crop.garment, f"{crop.garment.track:06d}.jpg"
            try:
                write_image(self._folder / name, crop.image)
                self._rows.writerow({
                    "track": garment.track, "label": garment.label.name, "colour": garment.colour,
                    "probability": round(garment.label.probability, 4), "frame": crop.frame,
                    "time": round(crop.time, 6), "file": name,
                })  # fmt: skip
            except OSError as error:
                raise SinkError(f"cannot write {self._folder}: {error.strerror}") from error

    def __exit__(self, *exc_info: object) -> None:
        self._file.close()
