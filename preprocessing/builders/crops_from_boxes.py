"""Cuts the boxes of a detector's data out, for a classifier that names them: `python -m
preprocessing.builders.crops_from_boxes --data data.yaml --out DIR`.

Writes what `training.fit --data` reads: the pictures, index.csv and mapping.json, with the splits
of the detector's data and its classes in their order; and a sheet.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from preprocessing.builders.photo_dataset import MAPPING, write_index
from preprocessing.command import exit_status
from preprocessing.datasets.samples import INDEX, Sample
from preprocessing.datasets.yolo_layout import Layout, check_layout, read_boxes, read_layout
from preprocessing.errors import DataError
from preprocessing.images.contact_sheet import picture_sheet
from preprocessing.images.network_input import square_crop
from preprocessing.images.pictures import read_picture, write_image
from preprocessing.images.regions import Region
from preprocessing.processes import process_pool

SPLITS = {"train": "training", "val": "validation", "test": "test"}
JITTER = 0.04  # of a box's sides, by which its edges are moved: those of a detector are not exact
MOST_SIDE = 64  # pixels of a picture
SHEET, COLUMNS, SHEET_SIDE = 240, 24, 64


def cut_boxes(layout: Layout, split: str, out: Path, *, prefix: str) -> Iterator[Sample]:
    """Write every box of a split as a picture, in squares as the live app cuts them."""
    jobs = [
        (path, f"{prefix}-{split}-{number:06d}", out, layout.names)
        for number, path in enumerate(layout.images(split))
    ]
    with process_pool() as pool:
        done = pool.map(_cut, jobs, chunksize=16)
        for found in tqdm(done, split, len(jobs), disable=None):
            yield from (Sample(path, label, split=SPLITS[split]) for path, label in found)


def _cut(job: tuple[Path, str, Path, Sequence[str]]) -> list[tuple[Path, str]]:
    """Write the boxes of one image; their files and classes."""
    cv2.setNumThreads(1)  # the pool fills the cores
    path, stem, out, names = job
    image, given = read_picture(path), read_boxes(path, classes=len(names))
    height, width = image.shape[:2]
    limit = np.array([width, height] * 2, np.float32)
    rng = np.random.default_rng([*stem.encode()])
    found = []
    for number, (label, box) in enumerate(zip(given.labels, given.boxes * limit, strict=True)):
        sides = np.tile(box[2:] - box[:2], 2)
        moved = np.clip(box + rng.normal(0, JITTER, 4) * sides, 0, limit)
        cut = square_crop(image, Region.from_box(moved))
        scale = MOST_SIDE / max(cut.shape[:2])
        if scale < 1:
            cut = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        file = out / f"{stem}-{number}.jpg"
        write_image(file, cut)
        found.append((file, names[label]))
    return found


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m preprocessing.builders.crops_from_boxes",
        description="Cut the boxes of a detector's data out, for a classifier that names them.",
    )
    add = parser.add_argument
    add("--data", type=Path, nargs="+", required=True, metavar="YAML",
        help="data.yaml of the detector's data; several with the same classes")  # fmt: skip
    add("--out", type=Path, required=True, help="folder for the pictures and index.csv")
    return exit_status(partial(_run, parser.parse_args(argv)))


def _run(args: argparse.Namespace) -> int:
    layouts = [read_layout(path) for path in args.data]
    names = layouts[0].names
    for layout in layouts:
        if layout.names != names:
            raise DataError(f"{layout.path} has the classes {', '.join(layout.names)}, "
                            f"{layouts[0].path} {', '.join(names)}")  # fmt: skip
        check_layout(layout, tuple(layout.folders))
    pictures = args.out / "pictures"
    samples = [
        sample
        for number, layout in enumerate(layouts)
        for split in layout.folders
        for sample in cut_boxes(layout, split, pictures, prefix=str(number))
    ]
    if not samples:
        raise DataError(f"no box in {', '.join(map(str, args.data))}: wanted garments to cut out")
    write_index(args.out, samples, names)
    paths = [sample.path for sample in samples]
    sheet = picture_sheet(paths, side=SHEET_SIDE, columns=COLUMNS, most=SHEET)
    write_image(args.out / "sheet.png", sheet)
    counts = Counter(sample.split for sample in samples)
    text = ", ".join(f"{split} {count}" for split, count in counts.items())
    print(f"{text}; {args.out}/{INDEX}, {MAPPING}, sheet.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
