"""Detection data from cut-out garments.

`python -m preprocessing.builders.canvases --out DIR`

`--split train` also makes a tenth as many canvases for validation, from garments of their own.
Writes images/, labels/, data.yaml, and for each split a contact sheet with the boxes drawn, a
manifest and objects.jsonl (how much of each garment is inside and visible).
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from preprocessing.command import exit_status
from preprocessing.datasets import fashion_mnist
from preprocessing.datasets.samples import read_samples
from preprocessing.datasets.yolo_layout import write_boxes, write_layout
from preprocessing.errors import DataError, UsageError
from preprocessing.images.contact_sheet import Mark, class_colour, contact_sheet, marked_tile
from preprocessing.images.pictures import picture_paths, write_image
from preprocessing.processes import process_pool
from preprocessing.synthesis.backgrounds import BACKGROUNDS, UNSEEN, Background, Patches
from preprocessing.synthesis.compose import (
    Canvas,
    Cutout,
    FashionGarments,
    Garments,
    PhotoGarments,
    compose,
    green_canvas,
)
from preprocessing.synthesis.cutouts import grabcut_photo

SPLITS = {"train": 0, "val": 1, "test": 2}  # with the number that each adds to the seed
VALIDATION_SHARE = 10  # one canvas for validation for so many to train on
HELD_OUT = 10  # every so manieth training garment is for validation
PHOTO_SIDE = 256  # pixels of a photo cut-out's longer side
SHEET, SHEET_SIDE = 48, 160  # canvases on the contact sheet, and their side
QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 95]


@dataclass(frozen=True)
class Order:
    """What decides every byte of a split.

    Attributes:
        source: "fashion-mnist" or "photos"; photos: folder or CSV of the latter.
        backgrounds: folder of garment-free pictures, or empty.
        preset: "scenes" or "green".
    """

    split: str
    size: int
    seed: int
    source: str = "fashion-mnist"
    photos: str = ""
    backgrounds: str = ""
    preset: str = "scenes"
    data_dir: str = ""


@dataclass(frozen=True, eq=False)
class Stock:
    """What the canvases of an order are made from."""

    garments: Garments
    backgrounds: tuple[Background, ...]
    names: tuple[str, ...]


@lru_cache(maxsize=2)
def open_stock(order: Order) -> Stock:
    """The order's garments and grounds; each process opens them once.

    Raises:
        DataError: no garments, or no garment-free pictures, where the order names them.
    """
    unseen = order.split == "test"
    grounds = [draw for name, draw in BACKGROUNDS.items() if (name in UNSEEN) == unseen]
    if order.backgrounds:
        paths = _held_out(picture_paths(Path(order.backgrounds)), unseen)
        if not paths:
            raise DataError(f"no pictures in --backgrounds {order.backgrounds} for {order.split}")
        grounds += [Patches(paths)] * len(grounds)  # half of all canvases
    if order.source == "photos":
        garments, names = _photo_garments(order)
    else:
        garments, names = _fashion_garments(order), fashion_mnist.CLASSES
    return Stock(garments, tuple(grounds), tuple(names))


def _held_out(items: Sequence, unseen: bool) -> list:
    """Every fifth item for the test split, the others for training."""
    return [item for number, item in enumerate(items) if (number % 5 == 4) == unseen]


def _fashion_garments(order: Order) -> FashionGarments:
    part = "test" if order.split == "test" else "train"
    images, labels = fashion_mnist.load(part, order.data_dir or None)
    if part == "train":
        chosen = (np.arange(len(labels)) % HELD_OUT == 0) == (order.split == "val")
        images, labels = images[chosen], labels[chosen]
    return FashionGarments(images, labels)


def _photo_garments(order: Order) -> tuple[PhotoGarments, tuple[str, ...]]:
    """Garments cut out of photos of single garments, one class a folder or CSV label."""
    samples = read_samples(Path(order.photos))
    names = tuple(sorted({sample.label for sample in samples}))
    wanted = {"train": "training", "val": "validation", "test": "test"}[order.split]
    if any(sample.split for sample in samples):
        samples = [sample for sample in samples if sample.split == wanted]
    else:
        samples = _held_out(samples, order.split != "train")
    cutouts = [
        Cutout(*cut, names.index(sample.label))
        for sample in samples
        if (cut := cut_photo(sample.path)) is not None
    ]
    if not cutouts:
        raise DataError(f"no garments in {order.photos} for {order.split}")
    return PhotoGarments(cutouts), names


def cut_photo(path: Path) -> tuple[np.ndarray, np.ndarray] | None:
    """The largest garment of a photo, BGR uint8 (h, w, 3), and its soft mask; None without one."""
    image, region = grabcut_photo(path, PHOTO_SIDE)
    if region is None:
        return None
    x1, y1, x2, y2 = region.window
    return image[y1:y2, x1:x2], cv2.GaussianBlur(region.mask, (0, 0), 1.0)


def make_canvas(order: Order, index: int) -> Canvas:
    """The canvas of a number; the same order and number give the same bytes."""
    rng = np.random.default_rng([order.seed, SPLITS[order.split], index])
    stock = open_stock(order)
    if order.preset == "green":
        return green_canvas(rng, order.size, stock.garments)
    return compose(rng, order.size, stock.garments, stock.backgrounds)


def write_canvas(order: Order, folder: Path, index: int) -> Canvas:
    """Make a canvas and write its image and its label file."""
    canvas = make_canvas(order, index)
    path = folder / "images" / order.split / f"{index:06d}.jpg"
    path.write_bytes(cv2.imencode(".jpg", canvas.image, QUALITY)[1].tobytes())
    write_boxes(
        path,
        [garment.label for garment in canvas.garments],
        np.array([garment.box for garment in canvas.garments]),
        width=order.size,
        height=order.size,
    )
    return canvas


def write_split(order: Order, folder: Path, count: int) -> None:
    """Write a split's canvases, objects, manifest and contact sheet."""
    (folder / "images" / order.split).mkdir(parents=True, exist_ok=True)
    names, counts, empty, shown = open_stock(order).names, Counter(), 0, []
    objects = (folder / f"objects-{order.split}.jsonl").open("w")
    with objects, process_pool() as pool:
        made = pool.map(_write, [(order, folder, index) for index in range(count)], chunksize=16)
        for index, canvas in enumerate(tqdm(made, order.split, count, disable=None)):
            empty += not canvas.garments
            counts.update(names[garment.label] for garment in canvas.garments)
            if index < SHEET:
                shown.append(draw_boxes(canvas, names))
            for one in canvas.garments:
                shares = {"inside": round(one.inside, 4), "visible": round(one.visible, 4)}
                row = {"canvas": index, "label": names[one.label], "box": one.box.tolist()}
                objects.write(json.dumps(row | shares) + "\n")
    write_image(folder / f"sheet-{order.split}.png", contact_sheet(shown, columns=8))
    manifest = {"count": count, "empty": empty, "garments": dict(sorted(counts.items())),
                "versions": {"numpy": np.__version__, "opencv": cv2.__version__},
                **asdict(order)}  # fmt: skip
    (folder / f"manifest-{order.split}.json").write_text(json.dumps(manifest, indent=1) + "\n")


def _write(job: tuple[Order, Path, int]) -> Canvas:
    cv2.setNumThreads(1)  # the pool fills the cores
    return write_canvas(*job)


def draw_boxes(canvas: Canvas, names: Sequence[str]) -> np.ndarray:
    """The canvas at the contact sheet's size, with its boxes and classes."""
    marks = [
        Mark(garment.box, class_colour(garment.label), names[garment.label])
        for garment in canvas.garments
    ]
    return marked_tile(canvas.image, marks, side=SHEET_SIDE)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m preprocessing.builders.canvases",
        description="Make synthetic canvases with garments and their boxes, in YOLO's layout.",
    )
    add = parser.add_argument
    add("--out", type=Path, required=True, help="folder to write to")
    add("--count", type=int, default=4000, help="canvases (default 4000)")
    add("--size", type=int, default=320, help="side in pixels (default 320)")
    add("--seed", type=int, default=0, help="the same seed gives the same bytes (default 0)")
    add("--split", choices=["train", "test"], default="train", help="train makes val as well")
    add("--preset", choices=["scenes", "green"], default="scenes", help="green: one garment, "
        "in the middle of a green canvas")  # fmt: skip
    add("--source", choices=["fashion-mnist", "photos"], default="fashion-mnist", help="garments")
    add("--photos", default="", metavar="DIR|CSV", help="labelled photos for --source photos")
    add("--backgrounds", default="", metavar="DIR", help="garment-free pictures to cut from")
    add("--data-dir", default="", metavar="DIR", help="folder of the four Fashion-MNIST files")
    args = parser.parse_args(argv)
    return exit_status(lambda: _run(args))


def _run(args: argparse.Namespace) -> int:
    if args.count < 1 or not 32 <= args.size <= 2048:
        raise UsageError("--count must be at least 1 and --size 32 to 2048")
    if (args.source == "photos") != bool(args.photos):
        raise UsageError("--source photos and --photos DIR go together")
    counts = {"test": args.count}
    if args.split == "train":
        counts = {"train": args.count, "val": max(1, args.count // VALIDATION_SHARE)}
    same = ("size", "seed", "source", "photos", "backgrounds", "preset", "data_dir")
    for split, count in counts.items():
        order = Order(split=split, **{name: getattr(args, name) for name in same})
        write_split(order, args.out, count)
    layout = write_layout(args.out / "data.yaml", open_stock(order).names)
    print(f"wrote {sum(counts.values())} canvases; {layout.path}, sheet-{args.split}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
