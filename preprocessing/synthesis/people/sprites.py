"""Sprites: pictures with a class for every pixel, and their cut-outs, to be placed in scenes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from preprocessing.datasets.masked_photos import AnnotatedPhoto, ComputedMask
from preprocessing.datasets.samples_and_splits import Sample
from preprocessing.images.class_maps import BACKGROUND, FIRST, UNKNOWN_PIXEL
from preprocessing.labels import LAYERS, PHOTO_LAYER
from preprocessing.processes import process_pool
from preprocessing.synthesis.cutouts import grabcut_photo

MASK_SIDE = 320  # pixels of the longer side of masks by GrabCut, and of their photos
SOFT_EDGE = 0.8  # deviation of the Gaussian that fades a cut-out's edge, in pixels
GAP = 7  # pixels, up to which holes in a computed mask are closed


@dataclass(frozen=True, eq=False)
class Sprite:
    """A picture with classes, and the part of it that can be cut out.

    Attributes:
        image: BGR uint8 (H, W, 3).
        classes: uint8 (H, W), UNKNOWN_PIXEL where the class is not known.
        exact: True for masks drawn by hand; of others the largest piece is cut out, without the
            unknown pixels around it.
        labels: by layer the garment's class of labels.py, where it is known.
    """

    image: np.ndarray
    classes: np.ndarray
    exact: bool = True
    labels: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def solid(self) -> np.ndarray:
        """The pixels of the cut-out, uint8 (H, W) of 0 and 1."""
        solid = (self.classes != BACKGROUND).astype(np.uint8)
        if self.exact:
            return solid
        sure = solid & (self.classes != UNKNOWN_PIXEL)
        closed = cv2.morphologyEx(sure, cv2.MORPH_CLOSE, np.ones((GAP, GAP), np.uint8))
        return largest_piece(closed)

    @cached_property
    def cover(self) -> np.ndarray:
        """The cut-out's opacity uint8 (H, W), soft at its edge."""
        return cv2.GaussianBlur(self.solid * 255, (0, 0), SOFT_EDGE)

    @cached_property
    def box(self) -> tuple[int, int, int, int]:
        """x, y, width and height of the cut-out, in pixels."""
        x, y, width, height = cv2.boundingRect(self.solid)
        return x, y, width, height

    def level(self, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Image, classes and cover at a resolution: 0 the full one, 1 its half, 2 its quarter."""
        if not number:
            return self.image, self.classes, self.cover
        width, height = (max(1, side >> number) for side in self.image.shape[1::-1])
        size = width, height
        return (
            cv2.resize(self.image, size, interpolation=cv2.INTER_AREA),
            cv2.resize(self.classes, size, interpolation=cv2.INTER_NEAREST),
            cv2.resize(self.cover, size, interpolation=cv2.INTER_AREA),
        )


def largest_piece(solid: np.ndarray) -> np.ndarray:
    """A mask uint8 (H, W) of 0 and 1 with its largest connected piece alone."""
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(solid)
    if count <= 2:
        return solid
    return (pieces == 1 + stats[1:, cv2.CC_STAT_AREA].argmax()).astype(np.uint8)


class SpriteSource(Protocol):
    """A picture that becomes a sprite whenever it is used."""

    def read(self) -> Sprite:
        """The sprite.

        Raises:
            DataError: the picture cannot be read.
        """


@dataclass(frozen=True, eq=False)
class PhotoSprite:
    """A photo whose pixels have classes, as a sprite.

    Attributes:
        side: most pixels of the sprite's longer side; exact, labels: see `Sprite`.
    """

    photo: AnnotatedPhoto
    side: int
    exact: bool = True
    labels: Mapping[str, str] = field(default_factory=dict)

    def read(self) -> Sprite:
        """See `SpriteSource`."""
        image, classes = self.photo.read()
        scale = self.side / max(classes.shape)
        if scale < 1:
            size = round(classes.shape[1] * scale), round(classes.shape[0] * scale)
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            classes = cv2.resize(classes, size, interpolation=cv2.INTER_NEAREST)
        return Sprite(image, classes, self.exact, self.labels)


def grabcut_masks(samples: Sequence[Sample], *, coverage: float = 0.0) -> list[ComputedMask]:
    """Photos of single garments, masked by GrabCut, without those where it finds none.

    Args:
        coverage: smallest fraction of a photo that its garment fills.
    """
    samples = [sample for sample in samples if sample.label in PHOTO_LAYER]
    with process_pool() as pool:
        covers = pool.map(_garment_mask, [sample.path for sample in samples], chunksize=16)
        return [
            ComputedMask.of(
                sample.path, cover * np.uint8(FIRST + LAYERS.index(PHOTO_LAYER[sample.label]))
            )
            for sample, cover in zip(samples, covers, strict=True)
            if cover is not None and cover.mean() >= coverage
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
