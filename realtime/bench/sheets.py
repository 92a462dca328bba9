"""Contact sheets of the worst pictures, with the garments that were found, to check by eye."""

import heapq
from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path

import numpy as np

from preprocessing.images.contact_sheets import Mark, contact_sheet, marked_tile
from preprocessing.images.pictures import write_image
from realtime.bench.answers import wearers
from realtime.types import Garment

SIDE = 420  # pixels of a tile's longer side
COLUMNS, MOST = 4, 16  # tiles of a sheet
FOUND, TRUE, PERSON = (80, 220, 255), (90, 230, 90), (255, 120, 200)  # BGR


class WorstPictures:
    """The worst of the pictures that are added, up to MOST of them."""

    def __init__(self) -> None:
        self._kept: list[tuple[float, int, np.ndarray, str]] = []
        self._order = count()  # earlier pictures are kept if equally bad
        self._rows = self._columns = 1  # of the largest tile

    def add(
        self, image: np.ndarray, marks: Iterable[Mark], *, badness: float, caption: str
    ) -> None:
        """Add a BGR picture uint8 (H, W, 3)."""
        if len(self._kept) == MOST and badness <= self._kept[0][0]:
            return
        entry = (badness, -next(self._order), marked_tile(image, marks, side=SIDE), caption)
        if len(self._kept) == MOST:
            heapq.heapreplace(self._kept, entry)
        else:
            heapq.heappush(self._kept, entry)
        rows, columns = (round(SIDE * side / max(image.shape[:2])) for side in image.shape[:2])
        self._rows, self._columns = max(rows, self._rows), max(columns, self._columns)

    def write(self, path: Path) -> None:
        """Write the sheet, the worst picture first; no file if there is no picture.

        Raises:
            SinkError: it cannot be written.
        """
        if self._kept:
            ordered = sorted(self._kept, key=lambda entry: entry[:2], reverse=True)
            tiles = [tile[: self._rows, : self._columns] for _, _, tile, _ in ordered]
            captions = [caption for *_, caption in ordered]
            write_image(path, contact_sheet(tiles, columns=COLUMNS, captions=captions))


def found_marks(garments: Sequence[Garment]) -> list[Mark]:
    """Marks of garments with their names, and of the people who wear them with their numbers."""
    people = [Mark(one.box, PERSON, str(one.number)) for one in wearers(garments)]
    return people + [Mark(g.region.box, FOUND, g.label.name) for g in garments]
