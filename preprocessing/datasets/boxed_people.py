"""Photos of people with boxes in YOLO's layout, and a file of labels that are finer than theirs.

In such data sets "shirt" may be any top and "jacket" any outer layer. A label file is a CSV
`file,x1,y1,x2,y2,name` with a row for each box that was labelled by eye: the photo's file name, the
box in rounded pixels, and a label of photos of single garments, or "none" for a box without an
upper garment. Boxes that it does not list keep their label. boxed_people_names.csv is the label
file of one data set (universe.roboflow.com/clouds-5vrll), of whose 237 jackets 37 are pullovers,
blouses or a dress.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from preprocessing.datasets.yolo_layout import Layout, read_boxes
from preprocessing.errors import DataError, text_errors
from preprocessing.images.pictures import read_picture

SIDES = ("x1", "y1", "x2", "y2")

# A photo's file name and a box in whole pixels.
BoxKey = tuple[str, int, int, int, int]


@dataclass(frozen=True, eq=False)
class BoxedPhoto:
    """A photo of people with boxes.

    Attributes:
        labels: the data set's label of each box.
        names: the label file's name of each box, "" if it has none.
        boxes: float32 (N, 4), x1 y1 x2 y2 in pixels.
        image: BGR uint8 (H, W, 3).
    """

    path: Path
    labels: tuple[str, ...]
    names: tuple[str, ...]
    boxes: np.ndarray
    image: np.ndarray


def read_boxed(layout: Layout, labels: Path | None = None) -> Iterator[BoxedPhoto]:
    """The photos of all splits, in order.

    Args:
        labels: a label file for the boxes.

    Raises:
        DataError: a file is missing or broken, or the label file belongs to other photos.
    """
    names = read_box_names(labels) if labels else {}
    matched = 0
    for split in layout.folders:
        for path in layout.images(split):
            found = read_boxes(path, classes=len(layout.names))
            image = read_picture(path)
            boxes = found.boxes * np.tile(image.shape[1::-1], 2).astype(np.float32)
            own = tuple(names.get(_key(path, box), "") for box in boxes)
            matched += len([name for name in own if name])
            yield BoxedPhoto(
                path, tuple(layout.names[label] for label in found.labels), own, boxes, image
            )
    if names and not matched:
        raise DataError(f"no row of {labels} is a box of {layout.path}: wanted its own label file")


def _key(path: Path, box: np.ndarray) -> BoxKey:
    x1, y1, x2, y2 = np.round(box).astype(int).tolist()
    return path.name, x1, y1, x2, y2


def read_box_names(path: Path) -> Mapping[BoxKey, str]:
    """The names of a label file by photo and box.

    Raises:
        DataError: it is missing or broken.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file, text_errors(path):
            rows = list(csv.DictReader(file))
        sides = [[int(row[side]) for side in SIDES] for row in rows]
        return {
            (row["file"], x1, y1, x2, y2): row["name"]
            for row, (x1, y1, x2, y2) in zip(rows, sides, strict=True)
        }
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"cannot read {path} ({error}): wanted file,x1,y1,x2,y2,name") from error
