"""Photos of people with boxes, and what is in the boxes: more than their labels say.

In the boxed worn photos "shirt" means any top and "jacket" any outer layer, and 37 of 237 jackets
are pullovers, blouses or a dress. `boxed_people_names.csv` beside this file holds what the upper
garments are, each named by eye; "none" is a slip of the box, or no upper garment. What is in doubt
or half hidden is not listed and keeps its label.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from preprocessing.datasets.yolo_layout import Layout, read_boxes
from preprocessing.images.pictures import read_picture

NAMES = Path(__file__).with_name("boxed_people_names.csv")


@dataclass(frozen=True, eq=False)
class Boxed:
    """A photo, BGR uint8 (H, W, 3), with boxes float32 (N, 4) xyxy in pixels, labelled and named.

    A name is "" where nobody looked, else one of the photos of single garments, or "none".
    """

    path: Path
    labels: tuple[str, ...]
    names: tuple[str, ...]
    boxes: np.ndarray
    image: np.ndarray


def read_boxed(layout: Layout) -> Iterator[Boxed]:
    """The photos of all splits, in order.

    Raises:
        DataError: a label file is missing or broken.
    """
    for split in layout.folders:
        for path in layout.images(split):
            found = read_boxes(path, classes=len(layout.names))
            image = read_picture(path)
            boxes = found.boxes * np.tile(image.shape[1::-1], 2).astype(np.float32)
            labels = tuple(layout.names[label] for label in found.labels)
            names = tuple(_names().get((path.name, *_rounded(box)), "") for box in boxes)
            yield Boxed(path, labels, names, boxes, image)


def _rounded(box: np.ndarray) -> tuple[int, ...]:
    return tuple(np.round(box).astype(int).tolist())


@cache
def _names() -> dict[tuple, str]:
    """The names by file and box: other folders' photos never have one of these by chance."""
    with NAMES.open(newline="", encoding="utf-8") as file:
        return {
            (row["file"], *(int(row[side]) for side in ("x1", "y1", "x2", "y2"))): row["name"]
            for row in csv.DictReader(file)
        }
