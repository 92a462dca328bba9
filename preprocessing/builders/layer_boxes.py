"""Boxes of real clothes in nine coarse layers.

`python -m preprocessing.builders.layer_boxes --out DIR`

Joins photos of people with pixel masks, photos of people with boxes, photos of single garments and
pictures without any into one data set in YOLO's layout. Each source's labels are mapped to the
layers by what they mean there; a photo with a label that means none of them clearly is left out,
and counted.
"""

import argparse
import csv
import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from preprocessing.command import exit_status
from preprocessing.datasets.boxed_people import read_boxed
from preprocessing.datasets.samples import read_csv
from preprocessing.datasets.splits import split_samples
from preprocessing.datasets.yolo_layout import read_boxes, read_layout, write_boxes, write_layout
from preprocessing.errors import DataError, UsageError
from preprocessing.images.contact_sheet import Mark, class_colour, contact_sheet, marked_tile
from preprocessing.images.pictures import picture_paths, read_picture, write_image
from preprocessing.images.regions import Region, without_specks
from preprocessing.images.segmentation import segment
from preprocessing.labels import BOX_LAYER, IGNORED, LAYERS, MASK_AMBIGUOUS, MASK_LAYER, PHOTO_LAYER
from preprocessing.processes import process_pool

VALIDATION_FROM, TEST_FROM = 631, 701  # numbers of parsed photos: neighbours are one shoot
MIN_SHARE = 0.0008  # of the photo, that a garment's pixels cover
SINGLE_VALIDATION = 0.1
EMPTY_VALIDATION = 10  # every so manieth picture without garments
SHEET, SHEET_SIDE = 48, 160


@dataclass(frozen=True, eq=False)
class Labelled:
    """A photo with its layers' numbers and boxes float32 (N, 4) xyxy in pixels."""

    path: Path
    split: str
    labels: tuple[int, ...]
    boxes: np.ndarray
    width: int
    height: int


def mask_boxes(mask: np.ndarray, names: dict[int, str]) -> tuple[tuple[int, ...], np.ndarray]:
    """Layers and boxes of a mask uint8 (H, W) of numbers; a pair of shoes is one box.

    Raises:
        DataError: a label that means none of the layers clearly.
    """
    present = [names.get(int(value), "") for value in np.unique(mask)]
    unclear = MASK_AMBIGUOUS & set(present)
    if unclear:
        raise DataError(f"has a {', '.join(sorted(unclear))}")
    layers = np.full(256, len(LAYERS), np.uint8)
    for value, name in names.items():
        if name in MASK_LAYER:
            layers[value] = LAYERS.index(MASK_LAYER[name])
    return layer_boxes(layers[mask])


def layer_boxes(layers: np.ndarray) -> tuple[tuple[int, ...], np.ndarray]:
    """Layers and boxes of a map uint8 (H, W) of layers; other values mean none of them."""
    labels, boxes = [], []
    for label in range(len(LAYERS)):
        region = Region.from_mask(without_specks(layers == label))
        if region is not None and (region.mask > 0).sum() >= MIN_SHARE * layers.size:
            labels.append(label)
            boxes.append(region.box)
    return tuple(labels), np.array(boxes, np.float32).reshape(-1, 4)


def read_names(folder: Path) -> dict[int, str]:
    """The names of the mask's values, from labels.csv with `id` and `name`.

    Raises:
        DataError: it is missing or damaged.
    """
    try:
        with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
            return {int(row["id"]): row["name"] for row in csv.DictReader(file)}
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"{folder} has no whole labels.csv with id and name ({error})") from error


def masked_photos(folder: Path) -> Iterator[tuple[int, Path, np.ndarray]]:
    """Numbers and paths of the parsed photos, in order, each with its mask uint8 (H, W).

    Raises:
        DataError: a mask is missing.
    """
    for path in sorted((folder / "photos").glob("*.jpg")):
        mask = cv2.imread(str(folder / "masks" / f"{path.stem}.png"), cv2.IMREAD_GRAYSCALE)
        if mask is None:
            raise DataError(f"{path} has no mask {folder}/masks/{path.stem}.png")
        yield int(path.stem), path, mask


def parsed_photos(folder: Path, unclear: Counter[str]) -> Iterator[Labelled]:
    """The photos with pixel masks, split by blocks of their numbers.

    Raises:
        DataError: no labels.csv, or a mask is missing.
    """
    names = read_names(folder)
    for number, path, mask in masked_photos(folder):
        split = "train" if number < VALIDATION_FROM else "val" if number < TEST_FROM else "test"
        try:
            labels, boxes = mask_boxes(mask, names)
        except DataError as error:
            unclear[f"parsed: {error}"] += 1
            continue
        yield Labelled(path, split, labels, boxes, mask.shape[1], mask.shape[0])


def boxed_photos(folder: Path) -> Iterator[Labelled]:
    """The photos with boxes, all for training: the same people are in both of its folders.

    Raises:
        DataError: its data.yaml or a label is broken, or a class is unknown.
    """
    layout = read_layout(folder / "data.yaml")
    strange = [name for name in layout.names if name not in BOX_LAYER]
    if strange:
        raise DataError(f"{layout.path} has the classes {', '.join(strange)}, which mean no layer")
    for photo in read_boxed(layout):
        meant = [
            PHOTO_LAYER.get(name, IGNORED) if name else BOX_LAYER[label]
            for name, label in zip(photo.names, photo.labels, strict=True)
        ]
        kept = np.array([layer != IGNORED for layer in meant], bool)
        labels = tuple(LAYERS.index(layer) for layer in meant if layer != IGNORED)
        height, width = photo.image.shape[:2]
        yield Labelled(photo.path, "train", labels, photo.boxes[kept], width, height)


def single_photos(source: Path, group_column: str, unclear: Counter[str]) -> Iterator[Labelled]:
    """The photos of single garments, boxed by GrabCut; no group is on two sides.

    Raises:
        DataError: see `read_csv`.
    """
    samples = [s for s in read_csv(source, group_column=group_column) if s.label in PHOTO_LAYER]
    samples = split_samples(samples, validation=SINGLE_VALIDATION, test=0, seed=0)
    with process_pool() as pool:
        found = pool.map(_single_box, [sample.path for sample in samples], chunksize=16)
        for sample, (box, width, height) in zip(samples, found, strict=True):
            if box is None:
                unclear["single: no garment found"] += 1
                continue
            split = "train" if sample.split == "training" else "val"
            label = LAYERS.index(PHOTO_LAYER[sample.label])
            yield Labelled(sample.path, split, (label,), box[None], width, height)


def _single_box(path: Path) -> tuple[np.ndarray | None, int, int]:
    cv2.setNumThreads(1)  # the pool fills the cores
    image = read_picture(path)
    regions = segment(image, "grabcut")
    return (regions[0].box if regions else None), image.shape[1], image.shape[0]


def empty_pictures(folder: Path) -> Iterator[Labelled]:
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
        yield Labelled(path, split, (), np.zeros((0, 4), np.float32), width, height)


def write(found: Iterable[Labelled], folder: Path, source: str) -> Counter[str]:
    """Copy photos and write their labels; the boxes by split and layer."""
    counts: Counter[str] = Counter()
    for index, one in enumerate(tqdm(found, source, disable=None)):
        name = f"{source}-{index:05d}-{one.path.stem}"  # stems alone may occur twice
        image = folder / "images" / one.split / f"{name}.jpg"
        image.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(one.path, image)
        write_boxes(image, one.labels, one.boxes, width=one.width, height=one.height)
        counts.update(f"{one.split} {LAYERS[number]}" for number in one.labels)
        counts[f"{one.split} photos"] += 1
    return counts


def draw_sheet(folder: Path, split: str) -> None:
    """A contact sheet of a split's photos with their boxes."""
    layout = read_layout(folder / "data.yaml")
    images = layout.images(split)
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
    parser = argparse.ArgumentParser(
        prog="python -m preprocessing.builders.layer_boxes",
        description="Join photos of worn and of single garments into one set of boxes in nine "
        f"layers ({', '.join(LAYERS)}), in YOLO's layout.",
    )
    add = parser.add_argument
    add("--out", type=Path, required=True, help="folder to write to")
    add("--parsed", type=Path, metavar="DIR", help="photos/, masks/ and labels.csv of people "
        f"(for validation from number {VALIDATION_FROM}, for test from {TEST_FROM})")  # fmt: skip
    add("--boxed", type=Path, metavar="DIR", help="photos of people with data.yaml")
    add("--photos", type=Path, metavar="CSV", help="path,label of photos of single garments")
    add("--empty", type=Path, metavar="DIR", help="pictures without garments")
    add("--group-column", default="group", help="of the CSV, e.g. the sender (default group)")
    args = parser.parse_args(argv)
    return exit_status(lambda: _run(args))


def _run(args: argparse.Namespace) -> int:
    if not (args.parsed or args.boxed or args.photos):
        raise UsageError("nothing to join: give --parsed, --boxed or --photos")
    counts, unclear = Counter(), Counter()
    if args.parsed:
        counts += write(parsed_photos(args.parsed, unclear), args.out, "parsed")
    if args.boxed:
        counts += write(boxed_photos(args.boxed), args.out, "boxed")
    if args.photos:
        counts += write(single_photos(args.photos, args.group_column, unclear), args.out, "single")
    if args.empty:
        counts += write(empty_pictures(args.empty), args.out, "empty")
    layout = write_layout(args.out / "data.yaml", LAYERS)
    for split in layout.folders:
        draw_sheet(args.out, split)
    values = {"boxes": dict(sorted(counts.items())), "left out": dict(unclear)}
    (args.out / "manifest.json").write_text(json.dumps(values, indent=1) + "\n")
    print(f"wrote {layout.path}: " + ", ".join(
        f"{split} {counts[f'{split} photos']}" for split in layout.folders))  # fmt: skip
    for reason, count in sorted(unclear.items()):
        print(f"left out: {count} {reason}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
