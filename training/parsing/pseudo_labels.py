"""Pseudo-labels: masks by a parser for photos of which tags or boxes say what may be seen.

`python -m training.parsing.pseudo_labels --tagged DIR --boxed DIR --out DIR`

A class that the tags or boxes rule out gets no pixel. Where the parser expects it all the same, or
does not find what they name, the class is unknown. The result is a folder of photos with masks.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
from tqdm import tqdm

from preprocessing.builders.layer_boxes import LabelledPhoto, boxed_photos
from preprocessing.datasets.photo_tags import read_tags
from preprocessing.errors import UsageError, exit_status
from preprocessing.flags import Check, Flag, add_fields, data_arguments, read_fields
from preprocessing.images.class_maps import CLASSES, FIRST, UNKNOWN_PIXEL
from preprocessing.images.pictures import read_picture
from preprocessing.labels import LAYERS, MASK_AMBIGUOUS, MASK_LAYER
from training.inference.parser import openvino_parser
from training.inference.weights import locate_for, verified

# Names of the masks' numbers, which are those of CLASSES, in the words of photos with masks.
MASK_NAMES = {"background": "null", "person": "skin", "outer": "jacket", "trousers": "pants"}
SUIT = {"suit": ("outer", "trousers")}  # of tags, which need not divide it
SURE = 0.45  # probability, among the classes that may be there, below which a pixel is unknown
MISSED = 0.12  # probability of a layer that is named and not found, from which pixels are unknown
FOUND = 0.01  # fraction of a photo's masked pixels, from which a layer is found
MOST_UNKNOWN = 0.3  # fraction of a person's pixels; photos with more are left out
SMALLEST = 0.02  # fraction of a photo's pixels that show a person
QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 92]


@dataclass(frozen=True, kw_only=True)
class PseudoLabelSettings:
    """The flags of the command."""

    tagged: Annotated[
        tuple[Path, ...],
        Flag("photos of people, or frames of videos, with what is worn: tags.csv (path,tags; tags "
             "divided by |)", metavar="DIR", nargs="+", default="none"),
    ] = ()  # fmt: skip
    boxed: Annotated[
        tuple[Path, ...],
        Flag("photos of people with boxes (data.yaml)", metavar="DIR", nargs="+", default="none"),
    ] = ()
    boxed_labels: Annotated[
        Path | None,
        Flag("finer labels of single boxes of --boxed: file,x1,y1,x2,y2,name", metavar="CSV"),
    ] = None
    teacher: Annotated[str, Flag("parser that makes the masks", metavar="MODEL|FILE")] = "parser"
    size: Annotated[
        int, Flag("most pixels of the longer side", Check("64 or more", lambda n: n >= 64), "N")
    ] = 448
    out: Annotated[Path, Flag("folder to write to", metavar="DIR")]


@dataclass(frozen=True, eq=False)
class Evidence:
    """Knowledge of a photo before it is parsed.

    Attributes:
        layers: numbers of LAYERS that may be seen.
        boxes: float32 (N, 4) xyxy of them, as fractions of the sides; None if they may be anywhere.
    """

    path: Path
    layers: tuple[int, ...]
    boxes: np.ndarray | None = None

    def allowed(self, height: int, width: int) -> np.ndarray:
        """Where each class may be, bool (classes, height, width)."""
        found = np.zeros((len(CLASSES), height, width), bool)
        found[:FIRST] = True
        if self.boxes is None:
            found[[FIRST + layer for layer in self.layers]] = True
            return found
        for layer, (x1, y1, x2, y2) in zip(self.layers, self.boxes, strict=True):
            rows = slice(int(y1 * height), int(np.ceil(y2 * height)))
            found[FIRST + layer, rows, int(x1 * width) : int(np.ceil(x2 * width))] = True
        return found


def tagged_photos(folder: Path) -> Iterator[Evidence]:
    """The photos of a folder with tags.csv, without those with a tag that means no layer clearly.

    Raises:
        DataError: tags.csv is missing or damaged.
    """
    for name, tags in read_tags(folder / "tags.csv").items():
        layers = {MASK_LAYER[tag] for tag in tags if tag in MASK_LAYER}
        layers |= {layer for tag in tags & SUIT.keys() for layer in SUIT[tag]}
        if not tags & (MASK_AMBIGUOUS - SUIT.keys()):
            yield Evidence(folder / name, tuple(sorted(map(LAYERS.index, layers))))


def boxed_evidence(photo: LabelledPhoto) -> Evidence:
    """The evidence of a photo with boxes."""
    sides = np.tile((photo.width, photo.height), 2)
    return Evidence(photo.path, photo.labels, (photo.boxes / sides).astype(np.float32))


def pseudo_labels(probabilities: np.ndarray, evidence: Evidence) -> np.ndarray | None:
    """The classes uint8 (H, W) of a photo; None where too much of the person is unknown.

    Args:
        probabilities: of the classes, float32 (classes, H, W).
    """
    allowed = evidence.allowed(*probabilities.shape[1:])
    kept = np.where(allowed, probabilities, 0)
    classes = kept.argmax(axis=0).astype(np.uint8)
    unknown = kept.max(axis=0) < SURE * np.maximum(kept.sum(axis=0), 1e-6)
    unknown |= (probabilities.argmax(axis=0) >= FIRST) & (classes < FIRST)
    person = (classes > 0) | unknown
    counts = np.bincount(classes.ravel(), minlength=len(CLASSES))
    for label in {FIRST + layer for layer in evidence.layers}:
        if counts[label] < FOUND * counts[1:].sum():
            missed = probabilities[label] > MISSED
            if evidence.boxes is not None:
                missed |= allowed[label]
            unknown |= missed & (classes < FIRST)
    if unknown.sum() > MOST_UNKNOWN * person.sum() or person.mean() < SMALLEST:
        return None
    classes[unknown] = UNKNOWN_PIXEL
    return classes


def both_ways(parse: Callable[[np.ndarray], np.ndarray], image: np.ndarray) -> np.ndarray:
    """Probabilities float32 (classes, H, W) for each pixel: the mean of an image and its mirror.

    Args:
        parse: from a BGR image to probabilities float32 (classes, h, w).
    """
    planes = (parse(image) + parse(image[:, ::-1])[..., ::-1]) / 2
    return np.stack([cv2.resize(plane, image.shape[1::-1]) for plane in planes])


def write_photos(settings: PseudoLabelSettings, photos: list[Evidence]) -> Counter[str]:
    """Write photos/ and masks/; the number of photos that are written and left out.

    Raises:
        DataError: a photo cannot be read.
        WeightsError: the teacher cannot be read.
    """
    stem, info = locate_for("parse", settings.teacher)
    verified(stem.with_suffix(".onnx"))
    parse, counts = openvino_parser(stem, info), Counter[str]()
    for folder in ("photos", "masks"):
        (settings.out / folder).mkdir(parents=True, exist_ok=True)
    for number, one in enumerate(tqdm(photos, "photos", disable=None)):
        image = read_picture(one.path)
        scale = min(1.0, settings.size / max(image.shape[:2]))
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        classes = pseudo_labels(both_ways(parse, image), one)
        counts["left out" if classes is None else "written"] += 1
        if classes is not None:
            name = f"{number:05d}-{one.path.stem}"
            photo = settings.out / "photos" / f"{name}.jpg"
            photo.write_bytes(cv2.imencode(".jpg", image, QUALITY)[1].tobytes())
            mask = settings.out / "masks" / f"{name}.png"
            mask.write_bytes(cv2.imencode(".png", classes)[1].tobytes())
    return counts


def write_names(folder: Path) -> None:
    """Write labels.csv; its numbers are those of CLASSES, unknown pixels have none."""
    rows = (f"{number},{MASK_NAMES.get(name, name)}\n" for number, name in enumerate(CLASSES))
    (folder / "labels.csv").write_text("id,name\n" + "".join(rows), encoding="utf-8")


def main(argv: list[str] | None = None) -> int:
    arguments = data_arguments(
        "training.parsing.pseudo_labels",
        "Make masks by a parser for photos whose tags or boxes say what may be seen.",
        example="--tagged data/tagged --boxed data/boxes --out data/pseudo",
    )
    add_fields(arguments, PseudoLabelSettings)
    args = arguments.parse(argv)
    return exit_status(lambda: build(read_fields(PseudoLabelSettings, args)))


def build(settings: PseudoLabelSettings) -> int:
    """Write the folder of photos with masks.

    Raises:
        UsageError: there is no source.
        DataError, WeightsError: a source or the teacher is missing or damaged.
    """
    if not (settings.tagged or settings.boxed):
        raise UsageError("no photos: give --tagged or --boxed")
    boxed = (boxed_photos(folder, settings.boxed_labels) for folder in settings.boxed)
    photos = [
        *chain.from_iterable(map(tagged_photos, settings.tagged)),
        *map(boxed_evidence, chain.from_iterable(boxed)),
    ]
    counts = write_photos(settings, photos)
    write_names(settings.out)
    print(f"wrote {counts['written']} photos with masks to {settings.out}; left out: "
          f"{counts['left out']}, too much of them unknown")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
