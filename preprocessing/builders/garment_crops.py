"""Builds crops of single garments, lying and worn, labelled with the classes of labels.py.

`python -m preprocessing.builders.garment_crops --parsed DIR --photos CSV --out DIR`

Worn garments are cropped from photos of people as the live app crops them, so that a classifier
learns them beside lying ones. For the class of what is no garment there are crops of streets, of
skin and hair, drawn backgrounds, and pictures without garments.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np

from preprocessing.builders.composite_heads import composite_garments
from preprocessing.datasets.parsed_people import (
    ParsedPhoto,
    class_regions,
    read_mask_labels,
    read_parsed_people,
)
from preprocessing.datasets.samples_and_splits import INDEX, Sample, read_csv, write_csv
from preprocessing.datasets.yolo_layout import read_boxed, read_layout
from preprocessing.errors import UsageError, exit_status
from preprocessing.flags import Flag, add_fields, data_arguments, read_fields
from preprocessing.images.contact_sheets import picture_sheet
from preprocessing.images.pictures import picture_paths, read_picture, write_image
from preprocessing.images.regions import Region, square_crop
from preprocessing.labels import BOX_CLASS, OTHER, PHOTO_CLASS, PHOTO_LAYER
from preprocessing.synthesis.cutouts import BACKGROUNDS, Background, Patches

MIN_SIDE = 40  # pixels of a garment's longer side; smaller ones show too little
MIN_FILL = 0.4  # fraction of its box covered by a garment's pixels; else others lie over it
SESSION = 10  # photos that count as one group: neighbours are of one photo session
STREET, BODY = frozenset(("null",)), frozenset(("skin", "hair"))  # mask values, no garments
BODY_FRACTION = 0.6  # of a square of skin and hair; the rest is street
TRIES = 60  # places tried for a square without garments
DRAWN, PATCHES, BACKGROUND_SIDE = 40, 6, 256  # drawn a kind; crops a picture; pixels
SHEET, COLUMNS, SHEET_SIDE = 96, 12, 96


@dataclass(frozen=True, kw_only=True)
class GarmentCropSettings:
    """The flags of the command."""

    parsed: Annotated[
        Path,
        Flag("photos of people with masks: photos/, masks/, labels.csv; those for tests are left "
             "out", metavar="DIR", group="sources"),
    ]  # fmt: skip
    photos: Annotated[
        Path,
        Flag("photos of single garments: path,label[,group][,split]; without splits the result "
             "has none either", metavar="CSV", group="sources"),
    ]  # fmt: skip
    boxed: Annotated[
        Path | None,
        Flag("photos of people with boxes: data.yaml and its folders, all for training",
             metavar="DIR", group="sources"),
    ] = None  # fmt: skip
    backgrounds: Annotated[
        Path | None,
        Flag("pictures without garments, a folder for each scene", metavar="DIR", group="sources"),
    ] = None
    boxed_labels: Annotated[
        Path | None,
        Flag("labels by eye for boxes of --boxed: file,x1,y1,x2,y2,name", metavar="CSV"),
    ] = None
    composite_heads: Annotated[
        bool,
        Flag("also paste heads of --parsed on the upper garments of --photos",
             hidden=("--dressed",)),
    ] = False  # fmt: skip
    group_column: Annotated[
        str, Flag("column of --photos with the product or sender", metavar="NAME")
    ] = "group"
    out: Annotated[Path, Flag("folder for the pictures and index.csv", metavar="DIR")]


def parsed_crops(folder: Path, out: Path) -> Iterator[Sample]:
    """Crop the garments of photos of people with masks into `out`.

    Raises:
        DataError: there are no photos, or labels.csv or a mask is missing.
    """
    names = read_mask_labels(folder)
    for photo in _training_photos(folder):
        image = read_picture(photo.path)
        for name, label, region in class_regions(photo.mask(), names):
            if _is_visible(region):
                target = out / f"{photo.number:04d}-{name}.jpg"
                write_image(target, square_crop(image, region))
                yield _sample(target, label, photo)


def boxed_crops(folder: Path, label_file: Path | None, out: Path) -> Iterator[Sample]:
    """Crop the garments of photos of people with boxes into `out`, if their class is known.

    All are one group, since the same people occur in many photos.

    Args:
        label_file: labels by eye for some of the boxes, see `yolo_layout`.

    Raises:
        DataError: see `read_boxed`.
    """
    for photo in read_boxed(read_layout(folder / "data.yaml"), label_file):
        for number, box in enumerate(photo.boxes):
            label = photo.names[number] or BOX_CLASS.get(photo.labels[number], "")
            region = Region.from_box(box)
            if label in PHOTO_LAYER and max(region.mask.shape) >= MIN_SIDE:
                target = out / f"{photo.path.stem}-{number}-{label}.jpg"
                write_image(target, square_crop(photo.image, region))
                yield Sample(target, label, group="boxed", split="training")


def garment_free_crops(folder: Path, out: Path) -> Iterator[Sample]:
    """Crop squares without garments from photos of people: some street, some skin and hair.

    Raises:
        DataError: there are no photos, or labels.csv or a mask is missing.
    """
    names = read_mask_labels(folder)
    street, body = (
        np.array([names.get(value) in group for value in range(256)]) for group in (STREET, BODY)
    )
    for photo in _training_photos(folder):
        image, mask = read_picture(photo.path), photo.mask()
        rng = np.random.default_rng(photo.number)
        for name, values, fraction in (("street", street, 1.0), ("body", body, BODY_FRACTION)):
            found = random_square(values[mask], fraction, rng, allowed=(street | body)[mask])
            if found is not None:
                target = out / f"{photo.number:04d}-{name}.jpg"
                write_image(target, image[found])
                yield _sample(target, OTHER, photo)


def _training_photos(folder: Path) -> list[ParsedPhoto]:
    """The photos for training and validation."""
    return [photo for photo in read_parsed_people(folder) if photo.split != "test"]


def _sample(path: Path, label: str, photo: ParsedPhoto) -> Sample:
    return Sample(path, label, group=f"shoot-{photo.number // SESSION}", split=photo.split)


def _is_visible(region: Region) -> bool:
    """True if a garment is large enough, and little of it is hidden."""
    fill = (region.mask > 0).mean()
    return max(region.mask.shape) >= MIN_SIDE and fill >= MIN_FILL


def random_square(
    wanted: np.ndarray, fraction: float, rng: np.random.Generator, *, allowed: np.ndarray
) -> tuple[slice, slice] | None:
    """A random square, large ones first, with only allowed and a fraction of wanted pixels.

    Args:
        wanted, allowed: bool (H, W).
    """
    height, width = wanted.shape
    sums = [cv2.integral(cover.astype(np.uint8)) for cover in (wanted, allowed)]
    for attempt in range(TRIES):
        side = round(min(height, width) * (0.6 - 0.5 * attempt / TRIES))
        x, y = rng.integers(0, width - side + 1), rng.integers(0, height - side + 1)
        found, inside = (
            (s[y + side, x + side] - s[y, x + side] - s[y + side, x] + s[y, x]) / side**2
            for s in sums
        )
        if found >= fraction and inside == 1:
            return slice(y, y + side), slice(x, x + side)
    return None


def background_crops(folder: Path | None, out: Path) -> Iterator[Sample]:
    """Write drawn backgrounds, and crops of a folder's pictures; each subfolder is one group."""
    paths = picture_paths(folder) if folder else []
    drawn: list[tuple[Background, str]] = [(draw, n) for n, draw in BACKGROUNDS.items()] * DRAWN
    pictures: list[tuple[Background, str]] = [(Patches([p]), p.parent.name) for p in paths]
    rng = np.random.default_rng(0)
    for index, (draw, name) in enumerate([*drawn, *pictures * PATCHES]):
        colour = tuple(int(v) for v in rng.integers(15, 245, 3))
        target = out / f"{index:05d}-{name}.jpg"
        write_image(target, draw((BACKGROUND_SIDE, BACKGROUND_SIDE), rng, colour))
        group = f"drawn-{index}" if index < len(drawn) else f"scenes-{name}"
        yield Sample(target, OTHER, group=group)


def flat_garments(source: Path, group_column: str) -> list[Sample]:
    """Photos of single garments, labelled with their classes; those of no class are left out.

    Raises:
        DataError: see `read_csv`.
    """
    samples = read_csv(source, group_column=group_column)
    return [replace(s, label=PHOTO_CLASS[s.label]) for s in samples if s.label in PHOTO_CLASS]


def main(argv: list[str] | None = None) -> int:
    arguments = data_arguments(
        "preprocessing.builders.garment_crops",
        "Crop worn garments from photos of people and list them beside photos of single garments, "
        "for\npreprocessing.builders.photo_dataset.",
        example="--parsed data/parsed --photos data/flat/index.csv --out data/worn",
    )
    add_fields(arguments, GarmentCropSettings)
    args = arguments.parse(argv)
    return exit_status(lambda: build(read_fields(GarmentCropSettings, args)))


def build(settings: GarmentCropSettings) -> int:
    """Write the crops, index.csv and contact sheets.

    Raises:
        UsageError: a label file without its photos.
        DataError: a source is missing or broken.
    """
    if settings.boxed_labels and not settings.boxed:
        raise UsageError("--boxed-labels needs the photos of --boxed")
    flat = flat_garments(settings.photos, settings.group_column)
    worn = list(_worn_garments(settings, flat))
    others = [*garment_free_crops(settings.parsed, settings.out / "other"),
              *background_crops(settings.backgrounds, settings.out / "other")]  # fmt: skip
    if not any(sample.split for sample in flat):  # builders.photo_dataset will split them
        worn, others = ([replace(s, split="") for s in part] for part in (worn, others))
    write_csv(settings.out / INDEX, [*flat, *worn, *others])
    for kind, samples in (("flat", flat), ("worn", worn), ("other", others)):
        counts = sorted(Counter(sample.label for sample in samples).items())
        print(f"{kind}: {', '.join(f'{name} {count}' for name, count in counts)}")
    for kind, samples in (("worn", worn), ("other", others)):
        paths = [sample.path for sample in samples]
        sheet = picture_sheet(paths, side=SHEET_SIDE, columns=COLUMNS, most=SHEET)
        write_image(settings.out / f"{kind}.png", sheet)
    print(f"wrote {settings.out}/{INDEX}, worn.png and other.png")
    return 0


def _worn_garments(settings: GarmentCropSettings, flat: list[Sample]) -> Iterator[Sample]:
    """Crops of worn garments, and composites that look worn."""
    yield from parsed_crops(settings.parsed, settings.out / "worn")
    if settings.boxed:
        yield from boxed_crops(settings.boxed, settings.boxed_labels, settings.out / "boxed")
    if settings.composite_heads:
        training = [sample for sample in flat if sample.split in ("", "training")]
        yield from composite_garments(
            training,
            settings.out / "composite",
            parsed=settings.parsed,
            backgrounds=settings.backgrounds,
        )


if __name__ == "__main__":
    sys.exit(main())
