"""Pictures of single garments, flat and worn, under shared names: `python -m preprocessing.worn`.

What people wear is cut out of parsed photos as the live app cuts it, so that a classifier learns
worn garments beside lying ones.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from preprocessing.command import exit_status
from preprocessing.contact_sheet import contact_sheet, write_image
from preprocessing.cuts import square
from preprocessing.errors import DataError
from preprocessing.kinds import FLAT_NAMES, WORN_NAMES
from preprocessing.layers import TEST_FROM, read_names, without_specks
from preprocessing.pictures import read_picture
from preprocessing.regions import Region
from preprocessing.samples import INDEX, Sample, read_csv, write_csv

LEAST_SIDE = 40  # pixels of a garment's longer side; smaller ones show too little
LEAST_FILL = 0.4  # of its box, that a garment's pixels cover; else others lie over it
SHOOT = 10  # numbers of photos that count as one group: neighbours are one shoot
SHEET, SHEET_SIDE, QUALITY = 96, 96, [cv2.IMWRITE_JPEG_QUALITY, 95]


def worn_garments(folder: Path, out: Path) -> Iterator[Sample]:
    """Cut the garments of parsed photos into `out`; the photos held out for tests stay out.

    Raises:
        DataError: no labels.csv, or a mask is missing.
    """
    names = read_names(folder)
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted((folder / "photos").glob("*.jpg")):
        if int(path.stem) >= TEST_FROM:
            continue
        mask = cv2.imread(str(folder / "masks" / f"{path.stem}.png"), cv2.IMREAD_GRAYSCALE)
        if mask is None:
            raise DataError(f"{path} has no mask {folder}/masks/{path.stem}.png")
        image = read_picture(path)
        for value in np.unique(mask):
            label = WORN_NAMES.get(names.get(int(value), ""))
            region = Region.from_mask(without_specks(mask == value)) if label else None
            if region is not None and _is_plain(region):
                target = out / f"{path.stem}-{names[int(value)]}.jpg"
                cv2.imwrite(str(target), square(image, region), QUALITY)
                yield Sample(target, label, group=f"shoot-{int(path.stem) // SHOOT}")


def _is_plain(region: Region) -> bool:
    """Whether a garment is large enough, and little of it hidden."""
    shown = (region.mask > 0).mean()
    return max(region.mask.shape) >= LEAST_SIDE and shown >= LEAST_FILL


def flat_garments(source: Path, group_column: str) -> list[Sample]:
    """Photos of single garments under the shared names, without those that have none.

    Raises:
        DataError: see `read_csv`.
    """
    samples = read_csv(source, group_column=group_column)
    return [replace(s, label=FLAT_NAMES[s.label]) for s in samples if s.label in FLAT_NAMES]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m preprocessing.worn",
        description="Cut worn garments out of parsed photos and list them beside photos of single "
        "garments, for training.build_dataset.",
    )
    add = parser.add_argument
    add("--parsed", type=Path, required=True, metavar="DIR", help="photos/, masks/, labels.csv")
    add("--photos", type=Path, required=True, metavar="CSV", help="path,label of single garments")
    add("--group-column", default="group", help="of the CSV, e.g. the sender (default group)")
    add("--out", type=Path, required=True, help="folder for the pictures and index.csv")
    args = parser.parse_args(argv)
    return exit_status(lambda: _run(args))


def _run(args: argparse.Namespace) -> int:
    flat = flat_garments(args.photos, args.group_column)
    worn = list(worn_garments(args.parsed, args.out / "worn"))
    write_csv(args.out / INDEX, [*flat, *worn])
    shown = worn[:: max(1, len(worn) // SHEET)][:SHEET]
    tiles = [cv2.resize(read_picture(s.path), (SHEET_SIDE, SHEET_SIDE)) for s in shown]
    write_image(args.out / "worn.png", contact_sheet(tiles, columns=12))
    for kind, samples in (("flat", flat), ("worn", worn)):
        counts = sorted(Counter(sample.label for sample in samples).items())
        print(f"{kind}: {', '.join(f'{name} {count}' for name, count in counts)}")
    print(f"wrote {args.out}/{INDEX} and worn.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
