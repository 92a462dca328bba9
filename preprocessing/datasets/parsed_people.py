"""Photos of people with a pixel mask each: photos/NAME.jpg, masks/NAME.png and labels.csv.

Photos whose names are neighbours show the same people in the same clothes, so that the split is by
blocks in the order of the names, never at random.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from preprocessing.errors import DataError

# Fractions of the photos, first in the order of the names; the remaining ones are for tests.
TRAINING, VALIDATION = 0.7875, 0.0875


@dataclass(frozen=True)
class ParsedPhoto:
    """A photo with its mask file.

    Attributes:
        number: position in the order of the file names, counted from 1.
        split: a name of SPLITS.
    """

    path: Path
    mask_path: Path
    number: int
    split: str

    def mask(self) -> np.ndarray:
        """Return the label number of every pixel, uint8 (H, W).

        Raises:
            DataError: the mask is missing or no picture.
        """
        mask = cv2.imread(str(self.mask_path), cv2.IMREAD_GRAYSCALE)
        if mask is None:
            raise DataError(f"{self.path} has no mask {self.mask_path}")
        return mask


def read_parsed_people(folder: Path) -> list[ParsedPhoto]:
    """Return the photos in the order of their names, each with its split; masks are read later.

    Raises:
        DataError: there are no photos.
    """
    paths = sorted((folder / "photos").glob("*.jpg"))
    if not paths:
        raise DataError(f"no photos in {folder}/photos: wanted photos/NAME.jpg, masks/NAME.png and "
                        "labels.csv")  # fmt: skip
    return [
        ParsedPhoto(path, folder / "masks" / f"{path.stem}.png", number, _split(number, len(paths)))
        for number, path in enumerate(paths, start=1)
    ]


def _split(number: int, count: int) -> str:
    if number <= round(TRAINING * count):
        return "training"
    return "validation" if number <= round((TRAINING + VALIDATION) * count) else "test"


def read_mask_labels(folder: Path) -> dict[int, str]:
    """Return the names of the label numbers, from labels.csv with the columns `id` and `name`.

    Raises:
        DataError: the file is missing or damaged.
    """
    try:
        with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
            return {int(row["id"]): row["name"] for row in csv.DictReader(file)}
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"{folder} has no whole labels.csv with id and name ({error})") from error
