"""Builds a detection data set of synthetic canvases, in YOLO's layout.

`python -m preprocessing.builders.canvases --out DIR`

`--split train` also makes a tenth as many canvases for validation, from other garments. Writes
images/, labels/ and data.yaml, and for each split a contact sheet with the boxes, a manifest and
objects.jsonl (the fractions of each garment that are inside the canvas and visible).
"""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Annotated, TypeVar

import cv2
import numpy as np
from tqdm import tqdm

from preprocessing.datasets import fashion_mnist
from preprocessing.datasets.samples_and_splits import SPLIT_NAMES, read_samples
from preprocessing.datasets.yolo_layout import write_boxes, write_layout
from preprocessing.errors import DataError, UsageError, exit_status
from preprocessing.flags import POSITIVE, Check, Flag, add_fields, data_arguments, read_fields
from preprocessing.images.contact_sheets import Mark, class_colour, contact_sheet, marked_tile
from preprocessing.images.pictures import picture_paths, write_image
from preprocessing.processes import process_pool
from preprocessing.synthesis.cutouts import BACKGROUNDS, UNSEEN, Background, Patches, grabcut_photo
from preprocessing.synthesis.scenes import (
    Canvas,
    Cutout,
    FashionGarments,
    Garments,
    PhotoGarments,
    Placed,
    compose,
    green_canvas,
)

T = TypeVar("T")

SEED_OF_SPLIT = {"train": 0, "val": 1, "test": 2}  # second part of a canvas's seed
VALIDATION_PART = 10  # training canvases for each validation canvas
HELD_OUT = 10  # every n-th training garment of Fashion-MNIST is for validation
TEST_PART = 5  # every n-th photo or picture is for tests
PHOTO_SIDE = 256  # pixels of a photo cut-out's longer side
SHEET, SHEET_SIDE = 48, 160  # canvases on the contact sheet, and their side
QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 95]
GARMENTS = "garments and backgrounds"


@dataclass(frozen=True, kw_only=True)
class CanvasRecipe:
    """Everything that determines the bytes of a split, with its flags."""

    split: Annotated[
        str, Flag("split to make; train makes val as well", choices=("train", "test"))
    ] = "train"
    size: Annotated[
        int, Flag("side in pixels", Check("32 to 2048", lambda n: 32 <= n <= 2048), "N")
    ] = 320
    seed: Annotated[int, Flag("seed; the same seed gives the same bytes", metavar="N")] = 0
    source: Annotated[
        str, Flag("garments to paste", choices=("fashion-mnist", "photos"), group=GARMENTS)
    ] = "fashion-mnist"
    photos: Annotated[
        str,
        Flag("photos of single garments for --source photos: one folder per class, or "
             "path,label[,group][,split]", metavar="DIR|CSV", group=GARMENTS),
    ] = ""  # fmt: skip
    backgrounds: Annotated[
        str,
        Flag("garment-free pictures for half of the backgrounds; the others are drawn",
             metavar="DIR", group=GARMENTS),
    ] = ""  # fmt: skip
    preset: Annotated[
        str,
        Flag("green: one garment in the middle of a green canvas", choices=("scenes", "green"),
             group=GARMENTS),
    ] = "scenes"  # fmt: skip
    data_dir: Annotated[
        str, Flag("folder of the four Fashion-MNIST files", metavar="DIR", group=GARMENTS)
    ] = ""


@dataclass(frozen=True, kw_only=True)
class CanvasSettings(CanvasRecipe):
    """The flags of the command."""

    out: Annotated[Path, Flag("folder to write to", metavar="DIR")]
    count: Annotated[int, Flag("canvases of the split", POSITIVE, "N")] = 4000

    def recipe(self, split: str) -> CanvasRecipe:
        """The recipe of a split."""
        values = {field.name: getattr(self, field.name) for field in fields(CanvasRecipe)}
        return CanvasRecipe(**values | {"split": split})


@dataclass(frozen=True, eq=False)
class Materials:
    """The garments, backgrounds and class names that canvases are made from."""

    garments: Garments
    backgrounds: tuple[Background, ...]
    names: tuple[str, ...]


@lru_cache(maxsize=2)
def open_materials(recipe: CanvasRecipe) -> Materials:
    """The recipe's garments and backgrounds; each process opens them once.

    Raises:
        DataError: no garments, or no garment-free pictures in a folder that the recipe names.
    """
    test = recipe.split == "test"
    backgrounds = [draw for name, draw in BACKGROUNDS.items() if (name in UNSEEN) == test]
    if recipe.backgrounds:
        paths = _part(picture_paths(Path(recipe.backgrounds)), test=test)
        if not paths:
            raise DataError(f"no pictures in --backgrounds {recipe.backgrounds} for {recipe.split}")
        backgrounds += [Patches(paths)] * len(backgrounds)  # half of all canvases
    if recipe.source == "photos":
        garments, names = _photo_garments(recipe)
        return Materials(garments, tuple(backgrounds), names)
    return Materials(_fashion_garments(recipe), tuple(backgrounds), fashion_mnist.CLASSES)


def _part(items: Sequence[T], *, test: bool) -> list[T]:
    """Every n-th item for the test split, the others for training."""
    return [
        item for number, item in enumerate(items) if (number % TEST_PART == TEST_PART - 1) == test
    ]


def _fashion_garments(recipe: CanvasRecipe) -> FashionGarments:
    part = "test" if recipe.split == "test" else "train"
    images, labels = fashion_mnist.load(part, recipe.data_dir or None)
    if part == "train":
        chosen = (np.arange(len(labels)) % HELD_OUT == 0) == (recipe.split == "val")
        images, labels = images[chosen], labels[chosen]
    return FashionGarments(images, labels)


def _photo_garments(recipe: CanvasRecipe) -> tuple[PhotoGarments, tuple[str, ...]]:
    """Garments cut out of photos of single garments, and the names of their classes."""
    samples = read_samples(Path(recipe.photos))
    names = tuple(sorted({sample.label for sample in samples}))
    if any(sample.split for sample in samples):
        samples = [s for s in samples if s.split == SPLIT_NAMES[recipe.split]]
    else:
        samples = _part(samples, test=recipe.split != "train")
    cutouts = [
        Cutout(*found, names.index(sample.label))
        for sample in samples
        if (found := cut_out_photo(sample.path)) is not None
    ]
    if not cutouts:
        raise DataError(f"no garments in {recipe.photos} for {recipe.split}")
    return PhotoGarments(cutouts), names


def cut_out_photo(path: Path) -> tuple[np.ndarray, np.ndarray] | None:
    """The largest garment of a photo, BGR uint8 (h, w, 3), and its soft mask; None without one."""
    image, region = grabcut_photo(path, PHOTO_SIDE)
    if region is None:
        return None
    x1, y1, x2, y2 = region.window
    return image[y1:y2, x1:x2], cv2.GaussianBlur(region.mask, (0, 0), 1.0)


def make_canvas(recipe: CanvasRecipe, index: int) -> Canvas:
    """The canvas of a number; the same recipe and number give the same bytes."""
    rng = np.random.default_rng([recipe.seed, SEED_OF_SPLIT[recipe.split], index])
    materials = open_materials(recipe)
    if recipe.preset == "green":
        return green_canvas(rng, recipe.size, materials.garments)
    return compose(rng, recipe.size, garments=materials.garments, backgrounds=materials.backgrounds)


def write_canvas(recipe: CanvasRecipe, folder: Path, index: int) -> Canvas:
    """Make a canvas and write its image and its label file."""
    canvas = make_canvas(recipe, index)
    path = folder / "images" / recipe.split / f"{index:06d}.jpg"
    path.write_bytes(cv2.imencode(".jpg", canvas.image, QUALITY)[1].tobytes())
    write_boxes(
        path,
        [garment.label for garment in canvas.garments],
        np.array([garment.box for garment in canvas.garments]),
        width=recipe.size,
        height=recipe.size,
    )
    return canvas


def write_split(recipe: CanvasRecipe, folder: Path, count: int) -> None:
    """Write a split's canvases, objects, manifest and contact sheet."""
    (folder / "images" / recipe.split).mkdir(parents=True, exist_ok=True)
    names, empty = open_materials(recipe).names, 0
    counts: Counter[str] = Counter()
    tiles: list[np.ndarray] = []
    with (folder / f"objects-{recipe.split}.jsonl").open("w") as objects, process_pool() as pool:
        made = pool.map(_write, [(recipe, folder, index) for index in range(count)], chunksize=16)
        for index, canvas in enumerate(tqdm(made, recipe.split, count, disable=None)):
            empty += not canvas.garments
            counts.update(names[garment.label] for garment in canvas.garments)
            if index < SHEET:
                tiles.append(draw_boxes(canvas, names))
            objects.writelines(_object_row(index, garment, names) for garment in canvas.garments)
    write_image(folder / f"sheet-{recipe.split}.png", contact_sheet(tiles, columns=8))
    manifest = {"count": count, "empty": empty, "garments": dict(sorted(counts.items())),
                "versions": {"numpy": np.__version__, "opencv": cv2.__version__},
                **asdict(recipe)}  # fmt: skip
    (folder / f"manifest-{recipe.split}.json").write_text(json.dumps(manifest, indent=1) + "\n")


def _write(job: tuple[CanvasRecipe, Path, int]) -> Canvas:
    cv2.setNumThreads(1)  # the pool fills the cores
    return write_canvas(*job)


def _object_row(index: int, garment: Placed, names: Sequence[str]) -> str:
    """A garment's line of objects.jsonl."""
    row = {
        "canvas": index,
        "label": names[garment.label],
        "box": garment.box.tolist(),
        "inside": round(garment.inside, 4),
        "visible": round(garment.visible, 4),
    }
    return json.dumps(row) + "\n"


def draw_boxes(canvas: Canvas, names: Sequence[str]) -> np.ndarray:
    """The canvas at the size of the contact sheet, with its boxes and classes."""
    marks = [
        Mark(garment.box, class_colour(garment.label), names[garment.label])
        for garment in canvas.garments
    ]
    return marked_tile(canvas.image, marks, side=SHEET_SIDE)


def main(argv: list[str] | None = None) -> int:
    arguments = data_arguments(
        "preprocessing.builders.canvases",
        "Make synthetic canvases with garments and their boxes, in YOLO's layout.",
        example="--out data/canvases --count 12000",
    )
    add_fields(arguments, CanvasSettings)
    args = arguments.parse(argv)
    return exit_status(lambda: build(read_fields(CanvasSettings, args)))


def build(settings: CanvasSettings) -> int:
    """Write the splits and data.yaml.

    Raises:
        UsageError: one of --source photos and --photos without the other.
        DataError: see `open_materials`.
    """
    if (settings.source == "photos") != bool(settings.photos):
        raise UsageError("--source photos and --photos go together")
    counts = {settings.split: settings.count}
    if settings.split == "train":
        counts["val"] = max(1, settings.count // VALIDATION_PART)
    for split, count in counts.items():
        write_split(settings.recipe(split), settings.out, count)
    names = open_materials(settings.recipe(settings.split)).names
    layout = write_layout(settings.out / "data.yaml", names)
    print(f"wrote {sum(counts.values())} canvases; {layout.path}, sheet-{settings.split}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
