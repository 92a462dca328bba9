"""Builds crops of the boxes of a detector's data, for a classifier that labels its boxes.

`python -m preprocessing.builders.crops_from_boxes --data data.yaml --out DIR`

Writes the data set that `training.fit --data` reads: the pictures, index.csv and mapping.json, with
the splits of the detector's data and its classes in their order, and a contact sheet.
"""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
from tqdm import tqdm

from preprocessing.builders.photo_dataset import MAPPING, write_index
from preprocessing.datasets.samples_and_splits import INDEX, SPLIT_NAMES, Sample
from preprocessing.datasets.yolo_layout import Layout, check_layout, read_boxes, read_layout
from preprocessing.errors import DataError, exit_status
from preprocessing.flags import Flag, add_fields, data_arguments, read_fields
from preprocessing.images.contact_sheets import picture_sheet
from preprocessing.images.pictures import read_picture, write_image
from preprocessing.images.regions import Region, square_crop
from preprocessing.processes import process_pool

JITTER = 0.04  # deviation of a box's edges, of its sides: those of a detector are not exact
MAX_SIDE = 64  # pixels of a crop
SHEET, COLUMNS, SHEET_SIDE = 240, 24, 64


@dataclass(frozen=True, kw_only=True)
class BoxCropSettings:
    """The flags of the command."""

    data: Annotated[
        tuple[Path, ...],
        Flag("data.yaml of the detector's data; several with the same classes", metavar="YAML",
             nargs="+"),
    ]  # fmt: skip
    out: Annotated[Path, Flag("folder for the pictures and index.csv", metavar="DIR")]


def crop_boxes(layout: Layout, split: str, out: Path, *, prefix: str) -> Iterator[Sample]:
    """Write every box of a split as a picture, in square crops as in the live app."""
    jobs = [
        (path, f"{prefix}-{split}-{number:06d}", out, layout.names)
        for number, path in enumerate(layout.images(split))
    ]
    with process_pool() as pool:
        done = pool.map(_crop, jobs, chunksize=16)
        for found in tqdm(done, split, len(jobs), disable=None):
            yield from (Sample(path, label, split=SPLIT_NAMES[split]) for path, label in found)


def _crop(job: tuple[Path, str, Path, Sequence[str]]) -> list[tuple[Path, str]]:
    """Write the boxes of one image; their files and classes."""
    cv2.setNumThreads(1)  # the pool fills the cores
    path, stem, out, names = job
    image, annotated = read_picture(path), read_boxes(path, classes=len(names))
    height, width = image.shape[:2]
    limit = np.array([width, height] * 2, np.float32)
    rng = np.random.default_rng([*stem.encode()])
    found = []
    boxes = annotated.boxes * limit
    for number, (label, box) in enumerate(zip(annotated.labels, boxes, strict=True)):
        sides = np.tile(box[2:] - box[:2], 2)
        moved = np.clip(box + rng.normal(0, JITTER, 4) * sides, 0, limit)
        crop = square_crop(image, Region.from_box(moved))
        scale = MAX_SIDE / max(crop.shape[:2])
        if scale < 1:
            crop = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        file = out / f"{stem}-{number}.jpg"
        write_image(file, crop)
        found.append((file, names[label]))
    return found


def main(argv: list[str] | None = None) -> int:
    arguments = data_arguments(
        "preprocessing.builders.crops_from_boxes",
        "Crop the boxes of a detector's data, for a classifier that labels its boxes.",
        example="--data data/canvases/data.yaml --out data/boxes",
    )
    add_fields(arguments, BoxCropSettings)
    args = arguments.parse(argv)
    return exit_status(lambda: build(read_fields(BoxCropSettings, args)))


def build(settings: BoxCropSettings) -> int:
    """Write the data set and its contact sheet.

    Raises:
        DataError: the data is broken, has no box, or its classes differ.
    """
    layouts = [read_layout(path) for path in settings.data]
    names = layouts[0].names
    for layout in layouts:
        if layout.names != names:
            raise DataError(f"{layout.path} has the classes {', '.join(layout.names)}, "
                            f"{layouts[0].path} {', '.join(names)}: wanted the same")  # fmt: skip
        check_layout(layout, tuple(layout.folders))
    samples = [
        sample
        for number, layout in enumerate(layouts)
        for split in layout.folders
        for sample in crop_boxes(layout, split, settings.out / "pictures", prefix=str(number))
    ]
    if not samples:
        raise DataError(f"no box in {', '.join(map(str, settings.data))}: wanted garments to crop")
    write_index(settings.out, samples, names)
    paths = [sample.path for sample in samples]
    sheet = picture_sheet(paths, side=SHEET_SIDE, columns=COLUMNS, most=SHEET)
    write_image(settings.out / "sheet.png", sheet)
    counts = Counter(sample.split for sample in samples)
    text = ", ".join(f"{split} {count}" for split, count in counts.items())
    print(f"{text}; {settings.out}/{INDEX}, {MAPPING}, sheet.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
