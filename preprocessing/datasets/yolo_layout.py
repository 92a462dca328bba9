"""Detection data in YOLO's layout: images/, labels/ and data.yaml, read, checked and written.

A file in labels/ has one row per object: class id, then the box's centre, width and height as
fractions of the image's sides.

In photos of people "shirt" may be any top and "jacket" any outer layer. A label file is a CSV
`file,x1,y1,x2,y2,name` with a row for each box that was labelled by eye: the photo's file name, the
box in rounded pixels, and a label of photos of single garments, or "none" for a box without an
upper garment. Boxes that it does not list keep their label. boxed_people_names.csv is the label
file of one data set (universe.roboflow.com/clouds-5vrll), of whose 237 jackets 37 are pullovers,
blouses or a dress.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from preprocessing.errors import DataError, text_errors
from preprocessing.images.picture_kinds import SUFFIXES
from preprocessing.images.pictures import read_picture

# Names of splits in data.yaml, by those of samples_and_splits.py.
SPLITS = {"training": "train", "validation": "val", "test": "test"}
SIDES = ("x1", "y1", "x2", "y2")  # columns of a label file
SLACK = 1e-4  # of a side, by which rounding may put a box outside

# A photo's file name and a box in whole pixels.
BoxKey = tuple[str, int, int, int, int]


@dataclass(frozen=True, eq=False)
class Boxes:
    """The boxes of one image.

    Attributes:
        labels: class ids, int64 (N,).
        boxes: float32 (N, 4), x1 y1 x2 y2 as fractions of the image's sides.
    """

    labels: np.ndarray
    boxes: np.ndarray


@dataclass(frozen=True)
class Layout:
    """A data.yaml.

    Attributes:
        names: of the classes, in the order of their ids.
        folders: of images, by split.
    """

    path: Path
    names: tuple[str, ...]
    folders: dict[str, tuple[Path, ...]]

    def images(self, split: str) -> list[Path]:
        """The images of a split, folder by folder, in order.

        Raises:
            DataError: there is no such split, or no image in it.
        """
        if split not in self.folders:
            raise DataError(f"{self.path} has no {split}: it has {', '.join(self.folders)}")
        found = []
        for folder in self.folders[split]:
            inside = sorted(p for p in folder.glob("*") if p.suffix.lower() in SUFFIXES)
            if not inside:
                raise DataError(f"no images in {folder}, which {self.path} names for {split}")
            found += inside
        return found


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


def label_path(image: Path) -> Path:
    """The label file of an image: its last folder "images" becomes "labels", its suffix .txt."""
    parts = list(image.parts)
    last = len(parts) - 1 - parts[::-1].index("images") if "images" in parts else None
    if last is not None:
        parts[last] = "labels"
    return Path(*parts).with_suffix(".txt")


def read_layout(path: Path) -> Layout:
    """Read a data.yaml.

    Raises:
        DataError: it is missing, empty, no YAML, or lacks names or folders.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise DataError(
            f"cannot read {path} ({error}): see preprocessing.builders.canvases"
        ) from error
    if not isinstance(values, dict) or not values.get("names"):
        raise DataError(f"{path} is empty or has no names: wanted names, train and val")
    names = values["names"]
    if isinstance(names, dict) and all(isinstance(key, int) for key in names):
        names = [names[key] for key in sorted(names)]
    if not isinstance(names, list):
        raise DataError(f"{path}: names should be a list, or ids with a name each")
    root = path.parent / str(values.get("path") or "")
    folders = {}
    for split in SPLITS.values():
        if given := values.get(split):
            given = given if isinstance(given, list) else [given]
            folders[split] = tuple(root / str(folder) for folder in given)
    if not folders:
        raise DataError(f"{path} names no folder of images: wanted train and val")
    return Layout(path, tuple(str(name) for name in names), folders)


def read_boxes(image: Path, *, classes: int) -> Boxes:
    """Read the boxes of an image from its label file.

    Raises:
        DataError: no label file, a row that is no box, a class id out of range, or a box outside
            the image or without an area.
    """
    path = label_path(image)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text: wanted id, x, y, width, height in a line") from error
    except OSError as error:
        raise DataError(f"{image} has no label file {path}: an empty one is no object") from error
    found = [
        _read_row(line, classes=classes, place=f"{path}, line {number}")
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]
    labels = np.array([label for label, _ in found], np.int64)
    return Boxes(labels, np.array([box for _, box in found], np.float32).reshape(-1, 4))


def _read_row(
    line: str, *, classes: int, place: str
) -> tuple[int, tuple[float, float, float, float]]:
    """The class id of a row of a label file, and its box x1 y1 x2 y2 as fractions."""
    try:
        values = [float(word) for word in line.split()]
    except ValueError:
        values = []
    if len(values) != 5 or not np.isfinite(values).all() or values[0] != int(values[0]):
        raise DataError(f"{place}: wanted id, x, y, width, height, got {line!r}")
    label, (x, y, width, height) = int(values[0]), values[1:]
    if not 0 <= label < classes:
        raise DataError(f"{place}: class {label} is not within 0 to {classes - 1}")
    box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    if width <= 0 or height <= 0 or min(box) < -SLACK or max(box) > 1 + SLACK:
        raise DataError(f"{place}: box outside the image or empty: {line!r}")
    return label, box


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


def check_layout(layout: Layout, splits: Sequence[str]) -> None:
    """Check every label file of some splits, and the first image of each.

    Raises:
        DataError: the first error found.
    """
    for split in splits:
        images = layout.images(split)
        read_picture(images[0])
        for image in images:
            read_boxes(image, classes=len(layout.names))


def write_boxes(
    image: Path, labels: Sequence[int], boxes: np.ndarray, *, width: int, height: int
) -> None:
    """Write the label file of an image.

    Args:
        labels: class ids; boxes: float32 (N, 4), x1 y1 x2 y2 in pixels.
        width, height: of the image, in pixels.
    """
    scale = np.array([width, height], np.float64)
    rows = []
    for label, box in zip(labels, np.asarray(boxes, np.float64).reshape(-1, 4), strict=True):
        centre, size = (box[:2] + box[2:]) / 2 / scale, (box[2:] - box[:2]) / scale
        rows.append(" ".join([str(label), *(f"{value:.6f}" for value in (*centre, *size))]) + "\n")
    path = label_path(image)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(rows))


def write_layout(path: Path, names: Sequence[str]) -> Layout:
    """Write data.yaml for the splits whose image folders are beside it."""
    values: dict[str, object] = {}
    for split in SPLITS.values():
        if (path.parent / "images" / split).is_dir():
            values[split] = f"images/{split}"
    values["names"] = dict(enumerate(names))
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return read_layout(path)
