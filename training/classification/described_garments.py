"""Photos of garments to fit an embedding on, and views of them, described by a classifier.

Senders are in one split each. Imports no torch.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from preprocessing.datasets.samples_and_splits import Sample, read_samples, split_samples
from preprocessing.errors import DataError
from preprocessing.images.pictures import read_picture
from preprocessing.images.regions import Region, whole_image
from preprocessing.images.segmentation import segment
from preprocessing.labels import PHOTO_CLASS
from preprocessing.synthesis.garment_views import AGAIN, ELSEWHERE, Change, another_view
from training.classification.teaching import Describer, GarmentFinder

VALIDATION, TEST = 0.25, 0.3  # fractions of the photos, by sender
HELD_OUT, OTHERS = 60, 500  # garments to validate on, and beside those
PICTURES = 3  # that a garment is taught by
ASKED = (AGAIN,) * 5 + (ELSEWHERE,) * 5  # views of each that are asked for
SEED = 10_000  # of views to teach; those of other views begin at 0
UNEVEN = 3  # steps by which a mask to learn from is larger or smaller at most
STEP = 80  # of them a garment's side has

Locate = Callable[[np.ndarray], Region | None]


def parts(photos: Path, group_column: str) -> dict[str, list[Sample]]:
    """Photos of garments by split, in random order; senders are in one split each.

    Raises:
        DataError: there are no such photos.
    """
    samples = [
        sample
        for sample in read_samples(photos, group_column=group_column)
        if sample.label in PHOTO_CLASS
    ]
    if not samples:
        raise DataError(f"{photos} has no photos of {', '.join(sorted(PHOTO_CLASS))}")
    splits = split_samples(samples, validation=VALIDATION, test=TEST, seed=0)
    order = np.random.default_rng(0).permutation(len(splits)).tolist()
    found: dict[str, list[Sample]] = {"training": [], "validation": [], "test": []}
    for index in order:
        found[splits[index].split].append(splits[index])
    return found


@dataclass(frozen=True, eq=False)
class Described:
    """Features of pictures.

    Attributes:
        features: float32 (N, F).
        garments: int (N,), equal for pictures of one garment.
        views: int (N,), 0 for a photo itself, from 1 on for views made of it.
    """

    features: np.ndarray
    garments: np.ndarray
    views: np.ndarray

    @property
    def photos(self) -> np.ndarray:
        """True for photos, bool (N,)."""
        return self.views == 0


def describe(
    samples: Sequence[Sample],
    describer: Describer,
    changes: Sequence[Change],
    *,
    locate: Locate | None = None,
    title: str,
) -> Described:
    """Describe photos and views made of them.

    Args:
        changes: of the views of each photo.
        locate: finds the garment anew in each view; None to know where it went, with a mask that is
            a little wrong.

    Raises:
        DataError: a photo cannot be read.
    """
    rows, garments, views = [], [], []
    for number, sample in enumerate(tqdm(samples, title, disable=None)):
        photo = read_picture(sample.path)
        region = next(iter(segment(photo, "grabcut")), None)
        for view, (image, there) in enumerate(_views(photo, region, changes, seed=number)):
            rows.append(describer(image, locate(image) if locate else there))
            garments.append(number)
            views.append(view)
    return Described(np.stack(rows), np.array(garments), np.array(views))


def _views(
    photo: np.ndarray, region: Region | None, changes: Sequence[Change], *, seed: int
) -> Iterator[tuple[np.ndarray, Region | None]]:
    """A photo and views of it, each with its garment."""
    yield photo, region
    rng = np.random.default_rng(seed)
    for change in changes:
        image, moved = another_view(photo, region, rng, change)
        yield image, moved and uneven(moved, image.shape, rng)


def uneven(region: Region, shape: tuple[int, ...], rng: np.random.Generator) -> Region:
    """A region of an image of a shape (H, W, ...), a little larger or smaller."""
    steps = int(rng.integers(-UNEVEN, UNEVEN + 1))
    x1, y1, x2, y2 = region.window
    cover = np.zeros(shape[:2], np.uint8)
    cover[y1:y2, x1:x2] = region.mask
    side = 2 * max(1, round(max(region.mask.shape) / STEP)) + 1
    change = cv2.erode if steps < 0 else cv2.dilate
    return Region.from_mask(change(cover, np.ones((side, side)), iterations=abs(steps))) or region


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Pictures of garments that nothing was learnt from.

    Attributes:
        taught: float32 (P, F) for each garment: the prototypes of PICTURES pictures of it.
        asked: other pictures of the same garments.
        others: float32 (M, F), of photos of other garments.
    """

    taught: list[np.ndarray]
    asked: Described
    others: np.ndarray

    def of(self, views: Sequence[int]) -> "HeldOut":
        """The same, with some views of the pictures that are asked for."""
        asked, there = self.asked, np.isin(self.asked.views, views)
        chosen = Described(asked.features[there], asked.garments[there], asked.views[there])
        return replace(self, asked=chosen)


def describe_held_out(
    samples: Sequence[Sample], describer: Describer, find: GarmentFinder
) -> HeldOut:
    """Describe HELD_OUT garments to teach, and OTHERS, as the app finds them.

    Raises:
        DataError: a photo cannot be read.
    """
    chosen, taught = samples[:HELD_OUT], []
    for number, sample in enumerate(tqdm(chosen, "to teach", disable=None)):
        photo = read_picture(sample.path)
        views = _views(photo, None, (AGAIN,) * PICTURES, seed=SEED + number)
        pictures = [image for image, _ in views][1:]
        found = [(image, find(image) or whole_image(image)) for image in pictures]
        taught.append(np.concatenate([describer.prototypes(*one) for one in found]))
    asked = describe(chosen, describer, ASKED, locate=find, title="to ask for")
    rest = samples[HELD_OUT:][:OTHERS]
    others = describe(rest, describer, (), locate=find, title="others")
    return HeldOut(taught, asked, others.features)
