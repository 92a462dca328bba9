"""Composites of lying garments and heads: a head of a photo of people on the collar of each.

Few people in street photos wear what lies on floors and hangs on hangers, hoodies above all, so
that a classifier sees hoods without heads, and heads only above other classes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from preprocessing.datasets.samples_and_splits import Sample
from preprocessing.errors import DataError
from preprocessing.images.pictures import picture_paths, write_image
from preprocessing.images.regions import Region, square_crop
from preprocessing.processes import process_pool
from preprocessing.synthesis.cutouts import Patches, grabcut_photo, paste, random_background
from preprocessing.synthesis.people.heads import Head, read_heads

UPPER = ("dress", "longsleeve", "outwear", "shirt", "t-shirt")  # classes with a collar
PHOTO_SIDE = 320  # pixels of the longer side of a lying garment's photo, for GrabCut
SIDE, GARMENT_SIDE = 360, 240  # pixels of a composite, and of the garment's longer side in it
HEAD_WIDTH = (0.28, 0.46)  # range, as a fraction of the garment's shorter side
CHIN = (0.0, 0.22)  # range below the garment's upper edge, as a fraction of its height
MARGIN = 30  # pixels under the garment
TILT = 4.0  # deviation, in degrees
OFFSET = 0.02  # deviation of a head from the garment's middle, as a fraction of its width


def composite_garments(
    flat: Sequence[Sample], out: Path, *, parsed: Path, backgrounds: Path | None
) -> Iterator[Sample]:
    """Write a composite of each upper garment among photos of single ones into `out`.

    Args:
        flat: photos of single garments, labelled with classes.
        parsed: folder of photos of people with masks.
        backgrounds: folder of garment-free pictures, for half of the backgrounds; without it, all
            are drawn.

    Raises:
        DataError: see `read_heads`, or there are garments but no heads.
    """
    out.mkdir(parents=True, exist_ok=True)
    heads = read_heads(parsed)
    pictures = Patches(picture_paths(backgrounds)) if backgrounds else None
    upper = [sample for sample in flat if sample.label in UPPER]
    if upper and not heads:
        raise DataError(f"no training photo of {parsed} shows hair above a collar")
    with process_pool() as pool:
        found = pool.map(_segmented, [sample.path for sample in upper], chunksize=16)
        for index, (sample, (image, region)) in enumerate(zip(upper, found, strict=True)):
            rng = np.random.default_rng(index)
            head = heads[rng.integers(len(heads))]
            background = random_background(pictures, SIDE, rng)
            picture = (
                None
                if region is None
                else composite(head, image, region, background=background, rng=rng)
            )
            if picture is not None:
                target = out / f"{index:05d}-{sample.label}.jpg"
                write_image(target, picture)
                yield replace(sample, path=target)


def _segmented(path: Path) -> tuple[np.ndarray, Region | None]:
    cv2.setNumThreads(1)  # the pool fills the cores
    return grabcut_photo(path, PHOTO_SIDE)


def composite(
    head: Head,
    garment: np.ndarray,
    region: Region,
    *,
    background: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray | None:
    """The square crop of a garment with a head, on another background.

    Args:
        garment, region: BGR photo of the garment, and its place there.
        background: BGR uint8 (SIDE, SIDE, 3).

    Returns:
        BGR uint8, or None if nothing of the garment is visible.
    """
    x1, y1, x2, y2 = region.window
    scale = GARMENT_SIDE / max(x2 - x1, y2 - y1)
    width, height = (x2 - x1) * scale, (y2 - y1) * scale
    middle, top = SIDE / 2, SIDE - MARGIN - height
    picture = background.copy()
    shown = paste(
        picture,
        garment[y1:y2, x1:x2],
        region.mask,
        centre=(middle, top + height / 2),
        angle=rng.normal(0, TILT),
        scale=scale,
    )
    if shown is None:
        return None
    first, end = head.columns
    scale = rng.uniform(*HEAD_WIDTH) * min(width, height) / (end - first)
    chin = shown.box[1] + rng.uniform(*CHIN) * height
    centre = (
        middle + rng.normal(0, OFFSET) * width,
        chin + scale * (len(head.mask) / 2 - head.chin),
    )
    paste(picture, head.image, head.mask, centre=centre, angle=rng.normal(0, TILT), scale=scale)
    return square_crop(picture, shown)
