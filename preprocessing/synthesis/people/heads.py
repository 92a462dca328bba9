"""Heads of people in photos with masks, and lying garments dressed with them.

Few people in street photos wear what is worn before webcams, hoodies and T-shirts above all.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from preprocessing.datasets.parsed_people import ParsedPhoto, read_mask_labels, read_parsed_people
from preprocessing.images.class_maps import PERSON
from preprocessing.images.pictures import read_picture
from preprocessing.labels import MASK_LAYER
from preprocessing.synthesis.cutouts import blend
from preprocessing.synthesis.people.sprites import SOFT_EDGE, Sprite

# Names of mask values: garments with a collar, hair, and everything that belongs to a head.
COLLARED = frozenset(n for n, layer in MASK_LAYER.items() if layer in ("top", "outer", "dress"))
HAIR = frozenset(("hair",))
HEAD = HAIR | {"skin", "glasses", "sunglasses", "earrings", "necklace"}
MIN_HEAD = 40  # pixels of a head's height in its photo
GARMENT_WIDTH = 240  # pixels of a dressed garment
HEAD_WIDTH = (0.28, 0.46)  # range, as a fraction of the garment's width
CHIN = (0.0, 0.2)  # range below the garment's upper edge, as a fraction of its height
OFFSET = 0.02  # deviation of a head from the garment's middle, as a fraction of its width
MARGIN = 14  # pixels around a dressed garment


@dataclass(frozen=True, eq=False)
class Head:
    """Hair, face and neck.

    Attributes:
        image: BGR uint8 (H, W, 3).
        mask: uint8 (H, W), 255 on the head.
        chin: row of the collar.
    """

    image: np.ndarray
    mask: np.ndarray
    chin: int

    @property
    def columns(self) -> tuple[int, int]:
        """The first column of the head above the collar, and the one after its last."""
        columns = np.flatnonzero(self.mask[: self.chin].any(axis=0))
        return int(columns[0]), int(columns[-1]) + 1


def read_heads(folder: Path) -> list[Head]:
    """The heads in the training photos of a folder of `parsed_people`.

    Raises:
        DataError: there are no photos, or labels.csv or a mask is missing.
    """
    names = read_mask_labels(folder)
    photos = (photo for photo in read_parsed_people(folder) if photo.split == "training")
    found = (_head(photo, names) for photo in photos)
    return [head for head in found if head is not None]


def _head(photo: ParsedPhoto, names: dict[int, str]) -> Head | None:
    """The head of a photo, or None unless its hair and its collar are visible."""
    mask = photo.mask()
    hair, parts, upper = (
        np.isin(mask, [value for value, name in names.items() if name in group])
        for group in (HAIR, HEAD, COLLARED)
    )
    x, y, width, height = cv2.boundingRect(hair.astype(np.uint8))
    left, right = max(0, x - width // 4), x + width + width // 4
    below = np.flatnonzero(upper[y:, x : x + width].any(axis=1))
    if not width or not len(below) or below[0] < MIN_HEAD:
        return None
    collar = y + int(below[0])
    neck = collar + int(below[0]) // 4
    cover = parts.copy()
    cover[neck:] &= hair[neck:]
    bottom = max(neck, y + height)
    window = np.s_[y:bottom, left:right]
    image = read_picture(photo.path)[window]
    return Head(image, cover[window].astype(np.uint8) * 255, collar - y)


def dressed(garment: Sprite, head: Head, rng: np.random.Generator) -> Sprite:
    """A lying upper garment with a head on its collar: the half of a person before a webcam."""
    x, y, width, height = garment.box
    size = GARMENT_WIDTH, max(8, round(height * GARMENT_WIDTH / width))
    part = np.s_[y : y + height, x : x + width]
    face, cover, chin = _scaled(head, rng.uniform(*HEAD_WIDTH) * GARMENT_WIDTH)
    above = max(0, round(chin - rng.uniform(*CHIN) * size[1]))
    rows, columns = above + size[1] + 2 * MARGIN, GARMENT_WIDTH + 2 * MARGIN
    image, classes = np.full((rows, columns, 3), 128, np.uint8), np.zeros((rows, columns), np.uint8)
    top = MARGIN + above
    inside = np.s_[top : top + size[1], MARGIN : MARGIN + GARMENT_WIDTH]
    image[inside] = cv2.resize(garment.image[part], size, interpolation=cv2.INTER_AREA)
    classes[inside] = cv2.resize(garment.classes[part], size, interpolation=cv2.INTER_NEAREST)
    offset = rng.normal(0, OFFSET) * GARMENT_WIDTH
    left = max(0, round((columns - cover.shape[1]) / 2 + offset))
    window = np.s_[MARGIN : MARGIN + cover.shape[0], left : left + cover.shape[1]]
    shown = classes[window].shape
    face, cover = face[: shown[0], : shown[1]], cover[: shown[0], : shown[1]]
    blend(image[window], face, cover)
    classes[window][cover > 127] = PERSON
    return Sprite(image, classes, labels=garment.labels)


def _scaled(head: Head, width: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Image, soft cover and row of the collar of a head at a width in pixels."""
    first, end = head.columns
    scale = width / (end - first)
    size = round(width), max(4, round(len(head.mask) * scale))
    soft = cv2.GaussianBlur(head.mask[:, first:end], (0, 0), SOFT_EDGE)
    return (
        cv2.resize(head.image[:, first:end], size, interpolation=cv2.INTER_LINEAR),
        cv2.resize(soft, size, interpolation=cv2.INTER_LINEAR),
        head.chin * scale,
    )
