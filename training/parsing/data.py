"""Photos with a class for every pixel: masks drawn by hand, pseudo-labels, and GrabCut's masks."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from tqdm import tqdm

from preprocessing.builders.layer_boxes import LabelledPhoto, boxed_photos
from preprocessing.datasets.parsed_people import ParsedPhoto, read_mask_labels, read_parsed_people
from preprocessing.datasets.samples_and_splits import SPLITS, Sample, read_csv, split_samples
from preprocessing.errors import DataError
from preprocessing.images.class_maps import CLASSES, FIRST, UNKNOWN_PIXEL, mask_table
from preprocessing.images.pictures import read_picture
from preprocessing.labels import LAYERS, PHOTO_LAYER
from preprocessing.processes import process_pool
from preprocessing.synthesis.cutouts import grabcut_photo
from training.inference import weights
from training.inference.parser import openvino_parser
from training.parsing.settings import ParserFitSettings

MASK_SIDE = 320  # pixels of the longer side of computed masks, and of their photos
MIN_COVERAGE = 0.15  # fraction of a box that its pseudo-labelled garment covers
SINGLE_VALIDATION = 0.1  # fraction of the photos of single garments that are not trained on
COUNTED_ROWS = 4  # pixels of classes are counted in every fourth row and column


class AnnotatedPhoto(Protocol):
    """A photo whose pixels have classes."""

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """BGR uint8 (H, W, 3), and classes or UNKNOWN_PIXEL, uint8 (H, W)."""


@dataclass(frozen=True, eq=False)
class MaskedPhoto:
    """A photo with a mask drawn by hand.

    Attributes:
        class_of: the class of each label number of the mask, uint8 (256,).
    """

    photo: ParsedPhoto
    class_of: np.ndarray

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """See `AnnotatedPhoto`.

        Raises:
            DataError: the photo or its mask cannot be read, or their sizes differ.
        """
        mask, image = self.photo.mask(), read_picture(self.photo.path)
        if image.shape[:2] != mask.shape:
            raise DataError(f"{self.photo.mask_path} is {mask.shape[1]}x{mask.shape[0]}, its photo "
                            f"{image.shape[1]}x{image.shape[0]}: wanted the same")  # fmt: skip
        return image, self.class_of[mask]


@dataclass(frozen=True, eq=False)
class ComputedMask:
    """A photo with a computed mask: classes as PNG, its longer side MASK_SIDE pixels."""

    path: Path
    png: bytes

    @classmethod
    def of(cls, path: Path, classes: np.ndarray) -> "ComputedMask":
        """The mask of a photo, from classes uint8 (H, W)."""
        return cls(path, cv2.imencode(".png", classes)[1].tobytes())

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """See `AnnotatedPhoto`; the photo has the size of the mask.

        Raises:
            DataError: the photo cannot be read.
        """
        classes = cv2.imdecode(np.frombuffer(self.png, np.uint8), cv2.IMREAD_GRAYSCALE)
        if classes is None:
            raise DataError(f"the computed mask of {self.path} is damaged")
        height, width = classes.shape
        image = cv2.resize(read_picture(self.path), (width, height), interpolation=cv2.INTER_AREA)
        return image, classes.astype(np.uint8)


def masked_photos(folder: Path) -> dict[str, list[MaskedPhoto]]:
    """Return the photos with masks by split, see `preprocessing.datasets.parsed_people`.

    Raises:
        DataError: there is no labels.csv, or no photo to train or to validate on.
    """
    class_of = mask_table(read_mask_labels(folder))
    found: dict[str, list[MaskedPhoto]] = {split: [] for split in SPLITS}
    for photo in read_parsed_people(folder):
        found[photo.split].append(MaskedPhoto(photo, class_of))
    if not found["training"] or not found["validation"]:
        raise DataError(f"{folder} has too few photos/*.jpg to train and to validate on")
    return found


def count_pixels(photos: Sequence[MaskedPhoto]) -> np.ndarray:
    """Return how many pixels of the masks have each class, int64 (classes,)."""
    counts = np.zeros(256, np.int64)
    for one in photos:
        mask = one.photo.mask()[::COUNTED_ROWS, ::COUNTED_ROWS]
        counts += np.bincount(one.class_of[mask].ravel(), minlength=256)
    return counts[: len(CLASSES)]


def pseudo_labelled(settings: ParserFitSettings) -> list[ComputedMask]:
    """Return photos of people with pseudo-labels: a parser's classes, kept inside labelled boxes.

    Raises:
        DataError: see `boxed_photos`.
        WeightsError: the teacher cannot be read.
    """
    if not settings.boxed:
        return []
    teacher = openvino_parser(*weights.locate_for("parse", settings.teacher))
    photos = (boxed_photos(folder, settings.boxed_labels) for folder in settings.boxed)
    return [
        ComputedMask.of(one.path, classes_in_boxes(teacher(read_picture(one.path)), one))
        for one in tqdm([*chain.from_iterable(photos)], "boxed", disable=None)
    ]


def classes_in_boxes(probabilities: np.ndarray, boxed: LabelledPhoto) -> np.ndarray:
    """Return a photo's likeliest classes uint8 (H, W), garments only inside a box of their layer.

    Where a garment is predicted outside of any such box the class is unknown. It is unknown in the
    rest of a box, too, whose garment covers too little of it.
    """
    scale = MASK_SIDE / max(boxed.width, boxed.height)
    size = (round(boxed.width * scale), round(boxed.height * scale))
    planes = np.stack([cv2.resize(plane, size) for plane in probabilities])
    windows = [np.round(box * scale).astype(int) for box in boxed.boxes]
    allowed = np.zeros(planes.shape, bool)
    allowed[:FIRST] = True
    for layer, (x1, y1, x2, y2) in zip(boxed.labels, windows, strict=True):
        allowed[FIRST + layer, y1:y2, x1:x2] = True
    classes = np.where(allowed, planes, 0).argmax(axis=0).astype(np.uint8)
    classes[(classes < FIRST) & (planes.argmax(axis=0) >= FIRST)] = UNKNOWN_PIXEL
    for layer, (x1, y1, x2, y2) in zip(boxed.labels, windows, strict=True):
        inside = classes[y1:y2, x1:x2]
        if (inside == FIRST + layer).mean() < MIN_COVERAGE:
            inside[inside < FIRST] = UNKNOWN_PIXEL
    return classes


def single_garments(settings: ParserFitSettings) -> list[ComputedMask]:
    """Return the training part of the photos of single garments; each group is in one split.

    Raises:
        DataError: see `read_csv`.
    """
    if not settings.photos:
        return []
    samples = read_csv(settings.photos, group_column=settings.group_column)
    samples = split_samples(samples, validation=SINGLE_VALIDATION, test=0, seed=settings.seed)
    return grabcut_masks([sample for sample in samples if sample.split == "training"])


def grabcut_masks(samples: Sequence[Sample]) -> list[ComputedMask]:
    """Return photos of single garments, masked by GrabCut, without those where it finds none."""
    samples = [sample for sample in samples if sample.label in PHOTO_LAYER]
    with process_pool() as pool:
        covers = pool.map(_garment_mask, [sample.path for sample in samples], chunksize=16)
        return [
            ComputedMask.of(
                sample.path, cover * np.uint8(FIRST + LAYERS.index(PHOTO_LAYER[sample.label]))
            )
            for sample, cover in zip(samples, covers, strict=True)
            if cover is not None
        ]


def _garment_mask(path: Path) -> np.ndarray | None:
    """The mask of a photo's garment, bool (H, W); None if GrabCut finds none."""
    cv2.setNumThreads(1)  # the pool fills the cores
    image, region = grabcut_photo(path, MASK_SIDE)
    if region is None:
        return None
    cover = np.zeros(image.shape[:2], bool)
    x1, y1, x2, y2 = region.window
    cover[y1:y2, x1:x2] = region.mask > 0
    return cover
