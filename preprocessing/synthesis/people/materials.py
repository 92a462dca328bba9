"""Materials of composed scenes, read from the folders of a data set."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from preprocessing.datasets.masked_photos import photos_with_masks
from preprocessing.datasets.samples_and_splits import SPLITS, read_csv, split_samples
from preprocessing.errors import DataError
from preprocessing.images.pictures import picture_paths
from preprocessing.labels import PHOTO_LAYER
from preprocessing.synthesis.people.heads import read_heads
from preprocessing.synthesis.people.scenes import Materials
from preprocessing.synthesis.people.sprites import MASK_SIDE, PhotoSprite, grabcut_masks

PERSON_SIDE, FRAME_SIDE = 640, 640  # pixels of the longer side of people, and of video frames
COVERAGE = 0.08  # smallest fraction of its photo that a single garment fills
MOST_GARMENTS = 1000  # single garments that are cut out, which takes a third of a second each
SINGLE_VALIDATION = 0.1  # fraction of the photos of single garments that are not trained on
UPPER = ("top", "outer", "dress")  # layers that are worn under a head


@dataclass(frozen=True, kw_only=True)
class MaterialFolders:
    """The data sets that scenes are made of.

    Attributes:
        parsed: photos of people with masks drawn by hand, see `parsed_people`.
        pseudo: folders of the same form with pseudo-labels; frames: the same of videos.
        photos: CSV of photos of single garments; group_column: its column with the sender.
        backgrounds: folder of pictures without people and garments.
    """

    parsed: Path
    photos: Path
    pseudo: Sequence[Path] = ()
    frames: Sequence[Path] = ()
    group_column: str = "group"
    backgrounds: Path | None = None


def read_materials(folders: MaterialFolders, *, seed: int) -> dict[str, Materials]:
    """The materials of "training" and of "validation", which have no person in common.

    Pseudo-labels and video frames are for training alone; single garments, their masks by GrabCut,
    and grounds are for both, since they are no one.

    Args:
        seed: of the split of the single garments.

    Raises:
        DataError: a folder is missing or damaged, or has nothing of use.
    """
    people = photos_with_masks(folders.parsed)
    garments, upper = _single_garments(folders, seed)
    heads = read_heads(folders.parsed)
    grounds = picture_paths(folders.backgrounds) if folders.backgrounds else []
    if folders.backgrounds and not grounds:
        raise DataError(f"no pictures in --backgrounds {folders.backgrounds}")
    extra = {
        "training": (_computed(folders.pseudo, PERSON_SIDE), _computed(folders.frames, FRAME_SIDE)),
        "validation": ([], []),
    }
    found = {}
    for split, (more, frames) in extra.items():
        own = [PhotoSprite(photo, PERSON_SIDE) for photo in people[split]]
        if not own:
            raise DataError(f"{folders.parsed} has too few photos/*.jpg for {split}")
        found[split] = Materials([*own, *more], garments, frames, upper, heads, grounds)
    return found


def _computed(folders: Sequence[Path], side: int) -> list[PhotoSprite]:
    """Photos with pseudo-labels, whatever their split."""
    found = (photos_with_masks(folder) for folder in folders)
    return [
        PhotoSprite(photo, side, exact=False)
        for photos in found
        for split in SPLITS
        for photo in photos[split]
    ]


def _single_garments(
    folders: MaterialFolders, seed: int
) -> tuple[list[PhotoSprite], list[PhotoSprite]]:
    """Some of the training part of the photos of single garments, and the upper ones of them."""
    samples = read_csv(folders.photos, group_column=folders.group_column)
    samples = split_samples(samples, validation=SINGLE_VALIDATION, test=0, seed=seed)
    training = [s for s in samples if s.split == "training" and s.label in PHOTO_LAYER]
    chosen = np.random.default_rng(seed).permutation(len(training))[:MOST_GARMENTS]
    training = [training[index] for index in sorted(chosen)]
    layer = {sample.path: PHOTO_LAYER[sample.label] for sample in training}
    masked = grabcut_masks(training, coverage=COVERAGE)
    if not masked:
        counts = Counter(sample.label for sample in samples)
        raise DataError(f"no garment found in {folders.photos}: its labels are {dict(counts)}")
    sprites = [(layer[one.path], PhotoSprite(one, MASK_SIDE)) for one in masked]
    return [one for _, one in sprites], [one for name, one in sprites if name in UPPER]
