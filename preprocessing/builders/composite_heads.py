"""Lying garments as if somebody wore them: a head of a parsed photo on the collar of each.

Few people of the street photos wear what lies on floors and hangs on hangers (hoodies above all),
so that a classifier knows a hood from lying clothes, and a head only above other kinds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from preprocessing.builders.layer_boxes import VALIDATION_FROM, masked_photos, read_names
from preprocessing.datasets.samples import Sample
from preprocessing.errors import DataError
from preprocessing.images.network_input import square_crop
from preprocessing.images.pictures import picture_paths, read_picture, write_image
from preprocessing.images.regions import Region
from preprocessing.labels import MASK_LAYER
from preprocessing.processes import process_pool
from preprocessing.synthesis.backgrounds import Patches, random_background
from preprocessing.synthesis.cutouts import grabcut_photo, paste

UPPER = ("dress", "longsleeve", "outwear", "shirt", "t-shirt")  # labels of what has a collar
COLLARED = {name for name, layer in MASK_LAYER.items() if layer in ("top", "outer", "dress")}
HAIR = {"hair"}
HEAD = HAIR | {"skin", "glasses", "sunglasses", "earrings", "necklace"}
LEAST_HEAD = 40  # pixels of a head's height in its photo
PHOTO_SIDE = 320  # pixels of a lying garment's photo, where GrabCut looks
SIDE, GARMENT = 360, 240  # pixels of a picture and of the garment's longer side in it
WIDTH = (0.28, 0.46)  # of a head, as a share of the garment's
CHIN = (0.0, 0.22)  # below the garment's upper end, as a share of its height
ROOM = 30  # pixels under the garment
TILT, ASIDE = 4.0, 0.02  # deviations of a tilt in degrees, and of a head's place, of the width


@dataclass(frozen=True, eq=False)
class Head:
    """Hair, face and neck: BGR uint8 (H, W, 3), their mask uint8 (H, W), the row of the chin."""

    image: np.ndarray
    mask: np.ndarray
    chin: int


def heads(folder: Path) -> list[Head]:
    """The heads of the parsed photos that training sees.

    Raises:
        DataError: no labels.csv, or a mask is missing.
    """
    names = read_names(folder)
    hair, parts, upper = (
        [value for value, name in names.items() if name in kinds]
        for kinds in (HAIR, HEAD, COLLARED)
    )
    found = []
    for number, path, mask in masked_photos(folder):
        if number < VALIDATION_FROM:
            head = _head(path, *(np.isin(mask, values) for values in (hair, parts, upper)))
            found += [head] if head else []
    return found


def _head(path: Path, hair: np.ndarray, parts: np.ndarray, upper: np.ndarray) -> Head | None:
    """The head of a photo, where its hair and its collar are seen."""
    x, y, width, height = cv2.boundingRect(hair.astype(np.uint8))
    left, right = max(0, x - width // 4), x + width + width // 4
    below = np.flatnonzero(upper[y:, x : x + width].any(axis=1))
    if not width or not len(below) or below[0] < LEAST_HEAD:
        return None
    collar = y + int(below[0])
    neck = collar + int(below[0]) // 4
    cover = parts.copy()
    cover[neck:] &= hair[neck:]
    bottom = max(neck, y + height)
    window = np.s_[y:bottom, left:right]
    image = read_picture(path)[window]
    return Head(image, cover[window].astype(np.uint8) * 255, collar - y)


def dressed_garments(
    flat: Sequence[Sample], parsed: Path, scenes: Path | None, out: Path
) -> Iterator[Sample]:
    """Dress the upper garments among photos of single ones into `out`; see `worn_by`.

    Args:
        scenes: folder of garment-free pictures, half of the grounds; all are drawn without it.

    Raises:
        DataError: see `heads`, or there is none for them.
    """
    out.mkdir(parents=True, exist_ok=True)
    known, pictures = heads(parsed), Patches(picture_paths(scenes)) if scenes else None
    upper = [sample for sample in flat if sample.label in UPPER]
    if upper and not known:
        raise DataError(f"no photo of {parsed} before {VALIDATION_FROM} shows hair above a collar")
    with process_pool() as pool:
        cut = pool.map(_cut, [sample.path for sample in upper], chunksize=16)
        for index, (sample, (image, region)) in enumerate(zip(upper, cut, strict=True)):
            rng = np.random.default_rng(index)
            head = known[rng.integers(len(known))]
            ground = random_background(pictures, SIDE, rng)
            picture = None if region is None else worn_by(head, image, region, ground, rng)
            if picture is not None:
                target = out / f"{index:05d}-{sample.label}.jpg"
                write_image(target, picture)
                yield replace(sample, path=target)


def _cut(path: Path) -> tuple[np.ndarray, Region | None]:
    cv2.setNumThreads(1)  # the pool fills the cores
    return grabcut_photo(path, PHOTO_SIDE)


def worn_by(
    head: Head, garment: np.ndarray, region: Region, ground: np.ndarray, rng: np.random.Generator
) -> np.ndarray | None:
    """A garment of a photo on another ground (SIDE, SIDE, 3) with a head on, cut as the app cuts.

    None where nothing of it is seen.
    """
    x1, y1, x2, y2 = region.window
    scale = GARMENT / max(x2 - x1, y2 - y1)
    width, height = (x2 - x1) * scale, (y2 - y1) * scale
    middle, top = SIDE / 2, SIDE - ROOM - height
    picture = ground.copy()
    place = {"centre": (middle, top + height / 2), "angle": rng.normal(0, TILT), "scale": scale}
    shown = paste(picture, garment[y1:y2, x1:x2], region.mask, **place)
    if shown is None:
        return None
    columns = np.flatnonzero(head.mask[: head.chin].any(axis=0))
    scale = rng.uniform(*WIDTH) * min(width, height) / (columns[-1] + 1 - columns[0])
    chin = shown.box[1] + rng.uniform(*CHIN) * height
    centre = (
        middle + rng.normal(0, ASIDE) * width,
        chin + scale * (len(head.mask) / 2 - head.chin),
    )
    paste(picture, head.image, head.mask, centre=centre, angle=rng.normal(0, TILT), scale=scale)
    return square_crop(picture, shown)
