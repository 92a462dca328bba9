"""Photos of people with a pixel mask each: photos/NAME.jpg, masks/NAME.png and labels.csv.

Photos with neighbouring names show the same people in the same clothes, so that the split is by
blocks in the order of the names, never at random. Garments in the masks are boxes by layer, or
regions by class.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from preprocessing.errors import DataError
from preprocessing.images.regions import Region, without_specks
from preprocessing.labels import LAYERS, MASK_AMBIGUOUS, MASK_CLASS, MASK_LAYER

# Fractions of the photos, first in the order of the names; the remaining ones are for tests.
TRAINING, VALIDATION = 0.7875, 0.0875
MIN_AREA = 0.0008  # of the photo, covered by a garment's pixels


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


def mask_boxes(mask: np.ndarray, names: dict[int, str]) -> tuple[tuple[int, ...], np.ndarray]:
    """Layers and boxes of a mask uint8 (H, W) of label numbers; a pair of shoes is one box.

    Raises:
        DataError: a label that means none of the layers clearly.
    """
    present = {names.get(int(value), "") for value in np.unique(mask)}
    ambiguous = MASK_AMBIGUOUS & present
    if ambiguous:
        raise DataError(f"has a {', '.join(sorted(ambiguous))}")
    layers = np.full(256, len(LAYERS), np.uint8)
    for value, name in names.items():
        if name in MASK_LAYER:
            layers[value] = LAYERS.index(MASK_LAYER[name])
    return layer_boxes(layers[mask])


def layer_boxes(layers: np.ndarray) -> tuple[tuple[int, ...], np.ndarray]:
    """The layers in a map uint8 (H, W) of their numbers, and their boxes float32 (N, 4) xyxy.

    Other values of the map are no layer.
    """
    labels, boxes = [], []
    for label in range(len(LAYERS)):
        region = Region.from_mask(without_specks(layers == label))
        if region is not None and (region.mask > 0).sum() >= MIN_AREA * layers.size:
            labels.append(label)
            boxes.append(region.box)
    return tuple(labels), np.array(boxes, np.float32).reshape(-1, 4)


def class_regions(mask: np.ndarray, names: dict[int, str]) -> Iterator[tuple[str, str, Region]]:
    """The garments of a mask uint8 (H, W) that have a class: the mask's name, the class, the place.

    Args:
        names: of the label numbers.
    """
    for value in np.unique(mask):
        name = names.get(int(value), "")
        if name in MASK_CLASS:
            region = Region.from_mask(without_specks(mask == value))
            if region is not None:
                yield name, MASK_CLASS[name], region
