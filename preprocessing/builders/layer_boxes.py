"""Builds a detection data set of real clothes in nine layers, in YOLO's layout.

`python -m preprocessing.builders.layer_boxes --out DIR`

Joins photos of people with pixel masks, photos of people with boxes, photos of single garments and
pictures without garments. The labels of each source are mapped to the layers by their meaning there
(labels.py); a photo with a label that means no layer clearly is left out, and counted.
"""

import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
from tqdm import tqdm

from preprocessing.datasets.parsed_people import mask_boxes, read_mask_labels, read_parsed_people
from preprocessing.datasets.samples_and_splits import read_csv, split_samples
from preprocessing.datasets.yolo_layout import (
    SPLITS,
    read_boxed,
    read_boxes,
    read_layout,
    write_boxes,
    write_layout,
)
from preprocessing.errors import DataError, UsageError, exit_status
from preprocessing.flags import Flag, add_fields, data_arguments, read_fields
from preprocessing.images.contact_sheets import Mark, class_colour, contact_sheet, marked_tile
from preprocessing.images.pictures import picture_paths, read_picture, write_image
from preprocessing.images.segmentation import segment
from preprocessing.labels import BOX_LAYER, IGNORED, LAYERS, PHOTO_LAYER
from preprocessing.processes import process_pool

SINGLE_VALIDATION = 0.1  # fraction of the photos of single garments
EMPTY_VALIDATION = 10  # every n-th picture without garments
SHEET, SHEET_SIDE = 48, 160  # photos on the contact sheet, and their side in pixels
SOURCES = "sources (at least one of the first three)"


@dataclass(frozen=True, kw_only=True)
class LayerBoxSettings:
    """The flags of the command."""

    parsed: Annotated[
        Path | None,
        Flag("photos of people with masks: photos/, masks/, labels.csv; split by blocks of their "
             "names", metavar="DIR", group=SOURCES),
    ] = None  # fmt: skip
    boxed: Annotated[
        Path | None,
        Flag("photos of people with boxes: data.yaml and its folders, all for training",
             metavar="DIR", group=SOURCES),
    ] = None  # fmt: skip
    photos: Annotated[
        Path | None,
        Flag("photos of single garments: path,label[,group], boxed by GrabCut", metavar="CSV",
             group=SOURCES),
    ] = None  # fmt: skip
    empty: Annotated[
        Path | None, Flag("pictures without garments", metavar="DIR", group=SOURCES)
    ] = None
    boxed_labels: Annotated[
        Path | None,
        Flag("labels by eye for boxes of --boxed: file,x1,y1,x2,y2,name", metavar="CSV"),
    ] = None
    group_column: Annotated[
        str, Flag("column of --photos with the product or sender", metavar="NAME")
    ] = "group"
    out: Annotated[Path, Flag("folder to write to", metavar="DIR")]


@dataclass(frozen=True, eq=False)
class LabelledPhoto:
    """A photo with the layers of its garments.

    Attributes:
        split: train, val or test.
        labels: numbers of LAYERS.
        boxes: float32 (N, 4), x1 y1 x2 y2 in pixels.
        width, height: of the photo, in pixels.
    """

    path: Path
    split: str
    labels: tuple[int, ...]
    boxes: np.ndarray
    width: int
    height: int


def parsed_photos(folder: Path, left_out: Counter[str]) -> Iterator[LabelledPhoto]:
    """The photos of people with masks.

    Args:
        left_out: counts the photos that are left out, by reason.

    Raises:
        DataError: see `read_parsed_people`, or a mask is missing.
    """
    names = read_mask_labels(folder)
    for photo in read_parsed_people(folder):
        mask = photo.mask()
        try:
            labels, boxes = mask_boxes(mask, names)
        except DataError as error:
            left_out[f"parsed: {error}"] += 1
            continue
        height, width = mask.shape
        yield LabelledPhoto(photo.path, SPLITS[photo.split], labels, boxes, width, height)


def boxed_photos(folder: Path, label_file: Path | None = None) -> Iterator[LabelledPhoto]:
    """The photos of people with boxes, all for training: the same people are in all splits.

    Args:
        label_file: labels by eye for some of the boxes, see `yolo_layout`.

    Raises:
        DataError: see `read_boxed`, or a class means no layer.
    """
    layout = read_layout(folder / "data.yaml")
    unknown = [name for name in layout.names if name not in BOX_LAYER]
    if unknown:
        raise DataError(f"{layout.path} has the classes {', '.join(unknown)}, which mean no layer")
    for photo in read_boxed(layout, label_file):
        layers = [
            PHOTO_LAYER.get(name, IGNORED) if name else BOX_LAYER[label]
            for name, label in zip(photo.names, photo.labels, strict=True)
        ]
        kept = np.array([layer != IGNORED for layer in layers], bool)
        labels = tuple(LAYERS.index(layer) for layer in layers if layer != IGNORED)
        height, width = photo.image.shape[:2]
        yield LabelledPhoto(photo.path, "train", labels, photo.boxes[kept], width, height)


def single_photos(
    source: Path, group_column: str, left_out: Counter[str]
) -> Iterator[LabelledPhoto]:
    """The photos of single garments, boxed by GrabCut; each group is in one split.

    Raises:
        DataError: see `read_csv`.
    """
    samples = [s for s in read_csv(source, group_column=group_column) if s.label in PHOTO_LAYER]
    samples = split_samples(samples, validation=SINGLE_VALIDATION, test=0, seed=0)
    with process_pool() as pool:
        found = pool.map(_single_box, [sample.path for sample in samples], chunksize=16)
        for sample, (box, width, height) in zip(samples, found, strict=True):
            if box is None:
                left_out["single: no garment found"] += 1
                continue
            split = "train" if sample.split == "training" else "val"
            label = LAYERS.index(PHOTO_LAYER[sample.label])
            yield LabelledPhoto(sample.path, split, (label,), box[None], width, height)


def _single_box(path: Path) -> tuple[np.ndarray | None, int, int]:
    cv2.setNumThreads(1)  # the pool fills the cores
    image = read_picture(path)
    regions = segment(image, "grabcut")
    return (regions[0].box if regions else None), image.shape[1], image.shape[0]


def empty_pictures(folder: Path) -> Iterator[LabelledPhoto]:
    """Pictures without garments.

    Raises:
        DataError: there are none.
    """
    paths = picture_paths(folder)
    if not paths:
        raise DataError(f"no pictures in {folder}")
    for number, path in enumerate(paths):
        height, width = read_picture(path).shape[:2]
        split = "val" if number % EMPTY_VALIDATION == 0 else "train"
        yield LabelledPhoto(path, split, (), np.zeros((0, 4), np.float32), width, height)


def write(photos: Iterable[LabelledPhoto], folder: Path, source: str) -> Counter[str]:
    """Copy photos and write their label files; the number of boxes by split and layer."""
    counts: Counter[str] = Counter()
    for index, photo in enumerate(tqdm(photos, source, disable=None)):
        name = f"{source}-{index:05d}-{photo.path.stem}"  # the file's name alone may occur twice
        image = folder / "images" / photo.split / f"{name}.jpg"
        image.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(photo.path, image)
        write_boxes(image, photo.labels, photo.boxes, width=photo.width, height=photo.height)
        counts.update(f"{photo.split} {LAYERS[number]}" for number in photo.labels)
        counts[f"{photo.split} photos"] += 1
    return counts


def draw_sheet(folder: Path, split: str) -> None:
    """Write a contact sheet of a split's photos with their boxes."""
    images = read_layout(folder / "data.yaml").images(split)
    tiles = []
    for path in images[:: max(1, len(images) // SHEET)][:SHEET]:
        image = read_picture(path)
        found = read_boxes(path, classes=len(LAYERS))
        sides = np.tile(image.shape[1::-1], 2)
        marks = [
            Mark(box * sides, class_colour(label), LAYERS[label])
            for label, box in zip(found.labels, found.boxes, strict=True)
        ]
        tiles.append(marked_tile(image, marks, side=SHEET_SIDE))
    write_image(folder / f"sheet-{split}.png", contact_sheet(tiles, columns=8))


def main(argv: list[str] | None = None) -> int:
    arguments = data_arguments(
        "preprocessing.builders.layer_boxes",
        "Join photos of worn and of single garments into one detection data set in YOLO's layout, "
        f"with nine layers:\n{', '.join(LAYERS)}.",
        example="--parsed data/parsed --photos data/flat/index.csv --out data/layers",
    )
    add_fields(arguments, LayerBoxSettings)
    args = arguments.parse(argv)
    return exit_status(lambda: build(read_fields(LayerBoxSettings, args)))


def build(settings: LayerBoxSettings) -> int:
    """Write the data set, its contact sheets and manifest.json.

    Raises:
        UsageError: there is no source, or a label file without its photos.
        DataError: a source is missing or broken.
    """
    if not (settings.parsed or settings.boxed or settings.photos):
        raise UsageError("no source: give --parsed, --boxed or --photos")
    if settings.boxed_labels and not settings.boxed:
        raise UsageError("--boxed-labels needs the photos of --boxed")
    counts: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    for source, photos in _sources(settings, left_out):
        counts += write(photos, settings.out, source)
    layout = write_layout(settings.out / "data.yaml", LAYERS)
    for split in layout.folders:
        draw_sheet(settings.out, split)
    values = {"boxes": dict(sorted(counts.items())), "left out": dict(left_out)}
    (settings.out / "manifest.json").write_text(json.dumps(values, indent=1) + "\n")
    print(f"wrote {layout.path}: " + ", ".join(
        f"{split} {counts[f'{split} photos']}" for split in layout.folders))  # fmt: skip
    for reason, count in sorted(left_out.items()):
        print(f"left out: {count} {reason}", file=sys.stderr)
    return 0


def _sources(
    settings: LayerBoxSettings, left_out: Counter[str]
) -> Iterator[tuple[str, Iterator[LabelledPhoto]]]:
    """The sources that were given, by the name that their photos get."""
    if settings.parsed:
        yield "parsed", parsed_photos(settings.parsed, left_out)
    if settings.boxed:
        yield "boxed", boxed_photos(settings.boxed, settings.boxed_labels)
    if settings.photos:
        yield "single", single_photos(settings.photos, settings.group_column, left_out)
    if settings.empty:
        yield "empty", empty_pictures(settings.empty)


if __name__ == "__main__":
    sys.exit(main())
