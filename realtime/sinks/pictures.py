"""Pictures as outputs: the last frame, snapshots of new garments, the best crop of each."""

import csv
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from preprocessing.errors import SinkError
from preprocessing.files import free_path
from preprocessing.images.pictures import write_image
from realtime.sinks.rows import TextFile, safe_cells
from realtime.types import Garment, LabelledFrame, SourceInfo

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
MIN_GAIN = 1.15  # by which a crop's quality must exceed that of the last one to replace it
CUT_OFF_FACTOR = 0.5  # of the quality of a garment that reaches out of the frame
MAX_TRACKS = 10_000  # whose best quality is known; an older track that comes back starts anew
COLUMNS = ("track", "label", "colour", "probability", "frame", "time", "file")


class PictureSink:
    """The last labelled frame as a picture."""

    needs_picture = True

    def __init__(self, path: Path):
        self.target = self._path = path
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
        self.target = self._folder = folder
        self._named: set[int] = set()  # tracks

    def open(self, info: SourceInfo) -> None:
        pass

    def write(self, labelled: LabelledFrame) -> None:
        named = {garment.track for garment in labelled.garments if garment.label.known}
        if named - self._named:
            save_snapshot(self._folder, labelled)
            self._named |= named  # not before: one that failed is tried again

    def close(self, *, complete: bool) -> None:
        pass


def save_snapshot(folder: Path, labelled: LabelledFrame) -> None:
    """Write a labelled frame as frame-000123.png into a folder, or as frame-000123-2.png.

    Raises:
        SinkError: it cannot be written.
    """
    write_image(free_path(folder / f"frame-{labelled.frame.index:06d}.png"), labelled.picture)


@dataclass(frozen=True, eq=False)
class Crop:
    """A garment's pixels, BGR uint8 (h, w, 3), with its frame's index and time in seconds."""

    image: np.ndarray
    garment: Garment
    frame: int
    time: float


class BestCrops:
    """Selects crops that are better than all before of their track: larger, surer, and whole."""

    def __init__(self) -> None:
        self._quality: OrderedDict[int, float] = OrderedDict()  # of the best crop, by track

    def better(self, labelled: LabelledFrame) -> Iterator[Crop]:
        """Cut out the named garments of a frame that are better than before."""
        frame = labelled.frame
        for garment in labelled.garments:
            quality = crop_quality(garment, frame.image.shape)
            if garment.label.known and quality > MIN_GAIN * self._quality.get(garment.track, 0.0):
                self._quality[garment.track] = quality
                self._quality.move_to_end(garment.track)
                if len(self._quality) > MAX_TRACKS:
                    self._quality.popitem(last=False)
                x1, y1, x2, y2 = garment.region.window
                image = frame.image[y1:y2, x1:x2].copy()
                yield Crop(image, garment, frame.index, frame.time)


def crop_quality(garment: Garment, shape: tuple[int, ...]) -> float:
    """Mean side in pixels times probability, less if it may be cut off by the frame's border."""
    x1, y1, x2, y2 = garment.region.window
    whole = x1 > 0 and y1 > 0 and x2 < shape[1] and y2 < shape[0]
    side = float(np.sqrt((x2 - x1) * (y2 - y1)))
    return side * garment.label.probability * (1.0 if whole else CUT_OFF_FACTOR)


class CropSink:
    """A folder with a JPEG a track, replaced by better ones, and crops.csv.

    The last row of a track in crops.csv describes the JPEG that is there.
    """

    needs_picture = False

    def __init__(self, folder: Path):
        self.target = self._folder = folder
        self._best = BestCrops()
        self._table = TextFile(folder / "crops.csv")

    def open(self, info: SourceInfo) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SinkError(f"cannot write {self._folder} ({error.strerror}): give another "
                            "--crops DIR") from error  # fmt: skip
        self._table.open(",".join(COLUMNS) + "\r\n")

    def write(self, labelled: LabelledFrame) -> None:
        rows = csv.DictWriter(self._table, COLUMNS)
        for crop in self._best.better(labelled):
            garment, name = crop.garment, f"{crop.garment.track:06d}.jpg"
            write_image(self._folder / name, crop.image)
            rows.writerow(safe_cells({
                "track": garment.track, "label": garment.label.name, "colour": garment.colour,
                "probability": round(garment.label.probability, 4), "frame": crop.frame,
                "time": round(crop.time, 6), "file": name,
            }))  # fmt: skip

    def close(self, *, complete: bool) -> None:
        self._table.close()
