"""Pictures of single garments, flat and worn, under shared names.

`python -m preprocessing.builders.garment_crops`

What people wear is cut out of parsed photos as the live app cuts it, so that a classifier learns
worn garments beside lying ones; streets, skin and hair, drawn grounds and pictures without garments
teach it what is none.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from preprocessing.builders.composite_heads import dressed_garments
from preprocessing.builders.layer_boxes import TEST_FROM, VALIDATION_FROM, masked_photos, read_names
from preprocessing.command import exit_status
from preprocessing.datasets.boxed_people import read_boxed
from preprocessing.datasets.samples import INDEX, Sample, read_csv, write_csv
from preprocessing.datasets.yolo_layout import read_layout
from preprocessing.images.contact_sheet import picture_sheet
from preprocessing.images.network_input import square_crop
from preprocessing.images.pictures import picture_paths, read_picture, write_image
from preprocessing.images.regions import Region, without_specks
from preprocessing.labels import BOX_CLASS, MASK_CLASS, OTHER, PHOTO_CLASS, PHOTO_LAYER
from preprocessing.synthesis.backgrounds import BACKGROUNDS, Patches

LEAST_SIDE = 40  # pixels of a garment's longer side; smaller ones show too little
LEAST_FILL = 0.4  # of its box, that a garment's pixels cover; else others lie over it
SHOOT = 10  # numbers of photos that count as one group: neighbours are one shoot
STREET, BODY = {"null"}, {"skin", "hair"}  # values of masks that are no garment
BODY_SHARE = 0.6  # of a square of skin and hair; the rest is street
TRIES = 60  # places tried for a square without garments
DRAWN, CUTS_EACH, SCENE_SIDE = 40, 6, 256  # grounds a kind; cuts a picture; pixels
SHEET, COLUMNS, SHEET_SIDE = 96, 12, 96


def worn_garments(folder: Path, out: Path) -> Iterator[Sample]:
    """Cut the garments of parsed photos into `out`.

    Raises:
        DataError: no labels.csv, or a mask is missing.
    """
    names = read_names(folder)
    out.mkdir(parents=True, exist_ok=True)
    for number, path, mask in _learnable(folder):
        image = read_picture(path)
        for name, label, region in named_regions(mask, names):
            if _is_plain(region):
                target = out / f"{number:04d}-{name}.jpg"
                write_image(target, square_crop(image, region))
                yield _sample(target, label, number)


def boxed_garments(folder: Path, out: Path) -> Iterator[Sample]:
    """Cut the garments of boxed photos into `out`, those whose boxes tell their names.

    They are one group: the same people come back.

    Raises:
        DataError: its data.yaml or a label is broken.
    """
    out.mkdir(parents=True, exist_ok=True)
    for photo in read_boxed(read_layout(folder / "data.yaml")):
        for number, box in enumerate(photo.boxes):
            label = photo.names[number] or BOX_CLASS.get(photo.labels[number], "")
            region = Region.from_box(box)
            if label in PHOTO_LAYER and max(region.mask.shape) >= LEAST_SIDE:
                target = out / f"{photo.path.stem}-{number}-{label}.jpg"
                write_image(target, square_crop(photo.image, region))
                yield Sample(target, label, group="boxed", split="training")


def named_regions(mask: np.ndarray, names: dict[int, str]) -> Iterator[tuple[str, str, Region]]:
    """Garments of a mask uint8 (H, W) with a shared name: the mask's name, that, and where."""
    for value in np.unique(mask):
        name = names.get(int(value), "")
        if name in MASK_CLASS:
            region = Region.from_mask(without_specks(mask == value))
            if region is not None:
                yield name, MASK_CLASS[name], region


def bare_squares(folder: Path, out: Path) -> Iterator[Sample]:
    """Squares of parsed photos that show no garment: some street, some skin and hair.

    Raises:
        DataError: no labels.csv, or a mask is missing.
    """
    names = read_names(folder)
    street, body = (np.array([names.get(v) in kind for v in range(256)]) for kind in (STREET, BODY))
    out.mkdir(parents=True, exist_ok=True)
    for number, path, mask in _learnable(folder):
        image, rng = read_picture(path), np.random.default_rng(number)
        for name, values, share in (("street", street, 1.0), ("body", body, BODY_SHARE)):
            found = _square_of(values[mask], share, rng, allowed=(street | body)[mask])
            if found is not None:
                target = out / f"{number:04d}-{name}.jpg"
                write_image(target, image[found])
                yield _sample(target, OTHER, number)


def _learnable(folder: Path) -> Iterator[tuple[int, Path, np.ndarray]]:
    """`masked_photos` without those that are held out for tests."""
    return (found for found in masked_photos(folder) if found[0] < TEST_FROM)


def _square_of(
    wanted: np.ndarray, share: float, rng: np.random.Generator, *, allowed: np.ndarray
) -> tuple[slice, slice] | None:
    """A random square, large ones first, all of it allowed and a share of it wanted."""
    height, width = wanted.shape
    sums = [cv2.integral(cover.astype(np.uint8)) for cover in (wanted, allowed)]
    for attempt in range(TRIES):
        side = round(width * (0.6 - 0.5 * attempt / TRIES))
        x, y = rng.integers(0, width - side + 1), rng.integers(0, height - side + 1)
        shares = [
            (s[y + side, x + side] - s[y, x + side] - s[y + side, x] + s[y, x]) / side**2
            for s in sums
        ]
        if shares[0] >= share and shares[1] == 1:
            return slice(y, y + side), slice(x, x + side)
    return None


def empty_scenes(folder: Path | None, out: Path) -> Iterator[Sample]:
    """Drawn grounds, and cuts of the pictures of a folder; those of one folder are one group."""
    out.mkdir(parents=True, exist_ok=True)
    pictures = [(Patches([p]), p.parent.name) for p in (picture_paths(folder) if folder else [])]
    drawn = [(draw, name) for name, draw in BACKGROUNDS.items()] * DRAWN
    rng = np.random.default_rng(0)
    for index, (draw, name) in enumerate([*drawn, *pictures * CUTS_EACH]):
        colour = tuple(int(v) for v in rng.integers(15, 245, 3))
        target = out / f"{index:05d}-{name}.jpg"
        write_image(target, draw((SCENE_SIDE, SCENE_SIDE), rng, colour))
        group = f"drawn-{index}" if index < len(drawn) else f"scenes-{name}"
        yield Sample(target, OTHER, group=group)


def _sample(path: Path, label: str, number: int) -> Sample:
    split = "training" if number < VALIDATION_FROM else "validation"
    return Sample(path, label, group=f"shoot-{number // SHOOT}", split=split)


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
    return [replace(s, label=PHOTO_CLASS[s.label]) for s in samples if s.label in PHOTO_CLASS]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m preprocessing.builders.garment_crops",
        description="Cut worn garments out of parsed and boxed photos and list them beside photos "
        "of single garments, for preprocessing.builders.photo_dataset.",
    )
    add = parser.add_argument
    add("--parsed", type=Path, required=True, metavar="DIR", help="photos/, masks/, labels.csv")
    add("--boxed", type=Path, metavar="DIR", help="photos of people with data.yaml, to cut as well")
    add("--dressed", action="store_true", help="put heads of parsed photos on lying garments, too")
    add("--photos", type=Path, required=True, metavar="CSV", help="path,label of single "
        "garments; where they have splits, the parsed photos get theirs by number")  # fmt: skip
    add("--group-column", default="group", help="of the CSV, e.g. the sender (default group)")
    add("--out", type=Path, required=True, help="folder for the pictures and index.csv")
    add("--backgrounds", type=Path, metavar="DIR", help="garment-free pictures, a folder a scene")
    args = parser.parse_args(argv)
    return exit_status(lambda: _run(args))


def _run(args: argparse.Namespace) -> int:
    flat = flat_garments(args.photos, args.group_column)
    worn = list(worn_garments(args.parsed, args.out / "worn"))
    if args.boxed:
        worn += boxed_garments(args.boxed, args.out / "boxed")
    if args.dressed:
        learnt = [sample for sample in flat if sample.split in ("", "training")]
        out = args.out / "dressed"
        worn += dressed_garments(learnt, args.parsed, args.backgrounds, out)
    others = [*bare_squares(args.parsed, args.out / "other"),
              *empty_scenes(args.backgrounds, args.out / "other")]  # fmt: skip
    if not any(sample.split for sample in flat):  # builders.photo_dataset will split them
        worn, others = ([replace(s, split="") for s in part] for part in (worn, others))
    write_csv(args.out / INDEX, [*flat, *worn, *others])
    for kind, samples in (("flat", flat), ("worn", worn), ("other", others)):
        counts = sorted(Counter(sample.label for sample in samples).items())
        print(f"{kind}: {', '.join(f'{name} {count}' for name, count in counts)}")
    for kind, samples in (("worn", worn), ("other", others)):
        paths = [sample.path for sample in samples]
        sheet = picture_sheet(paths, side=SHEET_SIDE, columns=COLUMNS, most=SHEET)
        write_image(args.out / f"{kind}.png", sheet)
    print(f"wrote {args.out}/{INDEX}, worn.png and other.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
