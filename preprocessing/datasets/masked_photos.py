"""Photos with a class for every pixel: masks drawn by hand, pseudo-labels, and computed masks."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from preprocessing.datasets.parsed_people import ParsedPhoto, read_mask_labels, read_parsed_people
from preprocessing.datasets.samples_and_splits import SPLITS
from preprocessing.errors import DataError
from preprocessing.images.class_maps import mask_table
from preprocessing.images.pictures import read_picture


class AnnotatedPhoto(Protocol):
    """A photo whose pixels have classes."""

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """BGR uint8 (H, W, 3), and classes or UNKNOWN_PIXEL, uint8 (H, W)."""


@dataclass(frozen=True, eq=False)
class MaskedPhoto:
    """A photo with a mask file.

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
    """A photo with a computed mask: classes as PNG, whose size the photo gets."""

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


def photos_with_masks(folder: Path) -> dict[str, list[MaskedPhoto]]:
    """The photos of a folder of `parsed_people` by split.

    Raises:
        DataError: there is no labels.csv, or no photo.
    """
    class_of = mask_table(read_mask_labels(folder))
    found: dict[str, list[MaskedPhoto]] = {split: [] for split in SPLITS}
    for photo in read_parsed_people(folder):
        found[photo.split].append(MaskedPhoto(photo, class_of))
    return found


def masked_photos(folder: Path) -> dict[str, list[MaskedPhoto]]:
    """The same, with photos to train and to validate on.

    Raises:
        DataError: there are none to train or to validate on; see `photos_with_masks`.
    """
    found = photos_with_masks(folder)
    if not found["training"] or not found["validation"]:
        raise DataError(f"{folder} has too few photos/*.jpg to train and to validate on")
    return found
