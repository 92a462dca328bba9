"""Builds crops of worn garments out of composed scenes of people, labelled with their classes.

`python -m preprocessing.builders.composed_garments --parsed DIR --photos CSV --out DIR`

Photos of streets show people near and in daylight; the scenes show them in rooms, before webcams
and far away. A garment is cropped there as the live app crops it. Crops for validation show other
people than those for training.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from tqdm import tqdm

from preprocessing.builders.composed_crops import GarmentComposer
from preprocessing.builders.composing_pool import (
    SEED_OF_SPLIT,
    Chunk,
    chunks_of,
    composing_pool,
)
from preprocessing.builders.garment_crops import flat_garments
from preprocessing.datasets.masked_photos import photos_with_masks
from preprocessing.datasets.parsed_people import MIN_AREA, read_mask_labels
from preprocessing.datasets.photo_tags import read_tags
from preprocessing.datasets.samples_and_splits import INDEX, Sample, read_csv, write_csv
from preprocessing.errors import DataError, UsageError, exit_status
from preprocessing.flags import POSITIVE, Flag, add_fields, data_arguments, read_fields
from preprocessing.images.contact_sheets import picture_sheet
from preprocessing.images.pictures import picture_paths, write_image
from preprocessing.labels import MASK_AMBIGUOUS, MASK_CLASS, MASK_LAYER, PHOTO_CLASS, PHOTO_LAYER
from preprocessing.synthesis.people.heads import read_heads
from preprocessing.synthesis.people.materials import COVERAGE, PERSON_SIDE, UPPER
from preprocessing.synthesis.people.scenes import Materials
from preprocessing.synthesis.people.sprites import MASK_SIDE, PhotoSprite, grabcut_masks

VALIDATION_PART = 11  # training crops for each validation crop
CHUNK = 100  # crops of a chunk
MOST_GARMENTS = {"training": 400, "validation": 60}  # single garments that are cut out
SHEET, COLUMNS, SHEET_SIDE = 192, 16, 96


@dataclass(frozen=True, kw_only=True)
class ComposedGarmentSettings:
    """The flags of the command."""

    parsed: Annotated[
        Path,
        Flag("photos of people with masks: photos/, masks/, labels.csv; those for tests are left "
             "out", metavar="DIR", group="sources"),
    ]  # fmt: skip
    photos: Annotated[
        Path,
        Flag("photos of single garments with their splits, as of photo_dataset, to be worn under "
             "heads and to hang in rooms", metavar="CSV", group="sources"),
    ]  # fmt: skip
    pseudo: Annotated[
        Path | None,
        Flag("photos with pseudo-labels, of training.parsing.pseudo_labels; for training alone",
             metavar="DIR", group="sources"),
    ] = None  # fmt: skip
    tags: Annotated[
        Path | None,
        Flag("what is worn in them: path,tags, with the names of masks, divided by |",
             metavar="CSV", group="sources"),
    ] = None  # fmt: skip
    backgrounds: Annotated[
        Path | None,
        Flag("pictures without people and garments", metavar="DIR", group="sources",
             default="drawn ones"),
    ] = None  # fmt: skip
    beside: Annotated[
        tuple[Path, ...],
        Flag("pictures to be listed in index.csv as well: path,label[,group][,split]",
             metavar="CSV", nargs="+", default="none"),
    ] = ()  # fmt: skip
    out: Annotated[Path, Flag("folder for the crops and index.csv", metavar="DIR")]
    count: Annotated[int, Flag("crops for training", POSITIVE, "N")] = 9000
    seed: Annotated[int, Flag("seed; the same seed gives the same bytes", metavar="N")] = 0


def layer_labels(names: Iterable[str]) -> dict[str, str]:
    """The class by layer in a photo, from the names of its masks or tags.

    A layer with several classes, or with a name of no single class, is left out.
    """
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name in names:
        if name in MASK_AMBIGUOUS:
            return {}
        if name in MASK_LAYER:
            found[MASK_LAYER[name]].add(MASK_CLASS.get(name, ""))
    single = {layer: min(labels) for layer, labels in found.items() if len(labels) == 1}
    return {layer: label for layer, label in single.items() if label}


def labelled_people(settings: ComposedGarmentSettings) -> dict[str, list[PhotoSprite]]:
    """People of the splits for training and validation, with a known class of a garment at least.

    Raises:
        DataError: a folder is missing or damaged, or has no such photo.
    """
    names, people = read_mask_labels(settings.parsed), photos_with_masks(settings.parsed)
    found: dict[str, list[PhotoSprite]] = {}
    for split in SEED_OF_SPLIT:
        found[split] = []
        for photo in people[split]:
            values, counts = np.unique(photo.photo.mask(), return_counts=True)
            large = values[counts >= MIN_AREA * counts.sum()]
            labels = layer_labels(names.get(int(value), "") for value in large)
            found[split].append(PhotoSprite(photo, PERSON_SIDE, labels=labels))
    if settings.pseudo and settings.tags:
        found["training"] += _tagged_people(settings.pseudo, settings.tags)
    found = {split: [one for one in some if one.labels] for split, some in found.items()}
    if not all(found.values()):
        raise DataError(f"{settings.parsed} has too few photos/*.jpg to train and to validate on")
    return found


def _tagged_people(folder: Path, tags: Path) -> Iterator[PhotoSprite]:
    """Photos with pseudo-labels, whose files are named NUMBER-NAME, that are tagged as NAME."""
    labels = {Path(path).stem: layer_labels(some) for path, some in read_tags(tags).items()}
    for photos in photos_with_masks(folder).values():
        for photo in photos:
            known = labels.get(photo.photo.path.stem.partition("-")[2], {})
            yield PhotoSprite(photo, PERSON_SIDE, exact=False, labels=known)


def read_labelled_materials(settings: ComposedGarmentSettings) -> dict[str, Materials]:
    """Materials of the scenes of "training" and of "validation"; nobody is in both.

    Raises:
        DataError: see `labelled_people`; no single garment of a split, or no background is found.
    """
    people, heads = labelled_people(settings), read_heads(settings.parsed)
    grounds = picture_paths(settings.backgrounds) if settings.backgrounds else []
    samples, found = flat_garments(settings.photos, "group"), {}
    for split, some in people.items():
        garments = _single_garments(samples, split, settings.seed)
        if not garments:
            raise DataError(f"{settings.photos} has no garment for {split}: give the index.csv of "
                            "preprocessing.builders.photo_dataset")  # fmt: skip
        upper = [one for one in garments if set(one.labels) & set(UPPER)]
        found[split] = Materials(some, garments, upper=upper, heads=heads, grounds=grounds)
    return found


def _single_garments(samples: list[Sample], split: str, seed: int) -> list[PhotoSprite]:
    """Some of the photos of single garments of a split."""
    mine = [sample for sample in samples if sample.split == split]
    chosen = np.random.default_rng(seed).permutation(len(mine))[: MOST_GARMENTS[split]]
    some = {mine[index].path: mine[index] for index in sorted(chosen)}
    masked = grabcut_masks(list(some.values()), coverage=COVERAGE)
    labels = {path: PHOTO_CLASS[sample.label] for path, sample in some.items()}
    return [
        PhotoSprite(one, MASK_SIDE, labels={PHOTO_LAYER[labels[one.path]]: labels[one.path]})
        for one in masked
    ]


def write_chunk(chunk: Chunk) -> list[Sample]:
    """Write the crops of a chunk.

    Raises:
        DataError: a picture cannot be read.
    """
    composer, samples = GarmentComposer(chunk.materials, chunk.generator()), []
    for number, crop in zip(chunk.numbers, composer, strict=False):  # crops have no end
        path = chunk.folder / chunk.split / f"{number:06d}-{crop.label}.jpg"
        write_image(path, crop.image)
        samples.append(Sample(path, crop.label, split=chunk.split))
    return samples


def main(argv: list[str] | None = None) -> int:
    arguments = data_arguments(
        "preprocessing.builders.composed_garments",
        "Crop worn garments from composed scenes of people, for\n"
        "preprocessing.builders.photo_dataset.",
        example="--parsed data/parsed --photos data/flat/index.csv --out data/composed",
    )
    add_fields(arguments, ComposedGarmentSettings)
    args = arguments.parse(argv)
    return exit_status(lambda: build(read_fields(ComposedGarmentSettings, args)))


def build(settings: ComposedGarmentSettings) -> int:
    """Write the crops, index.csv and contact sheets.

    Raises:
        UsageError: pseudo-labels without tags.
        DataError: see `read_labelled_materials`.
    """
    if bool(settings.pseudo) != bool(settings.tags):
        raise UsageError("--pseudo and --tags belong together: give both or neither")
    listed = [sample for path in settings.beside for sample in read_csv(path)]
    materials = read_labelled_materials(settings)
    with composing_pool(materials) as pool:
        chunks = _chunks(settings)
        made = list(tqdm(pool.map(write_chunk, chunks), "crops", len(chunks), disable=None))
    samples = [sample for some in made for sample in some]
    for split in SEED_OF_SPLIT:
        mine = [sample for sample in samples if sample.split == split]
        counts = sorted(Counter(sample.label for sample in mine).items())
        print(f"{split}: {', '.join(f'{name} {count}' for name, count in counts)}")
        paths = [sample.path for sample in mine]
        sheet = picture_sheet(paths, side=SHEET_SIDE, columns=COLUMNS, most=SHEET)
        write_image(settings.out / f"{split}.png", sheet)
    write_csv(settings.out / INDEX, [*listed, *samples])
    print(f"wrote {settings.out}/{INDEX}, training.png and validation.png")
    return 0


def _chunks(settings: ComposedGarmentSettings) -> list[Chunk]:
    counts = {"training": settings.count,
              "validation": max(1, settings.count // VALIDATION_PART)}  # fmt: skip
    return [
        chunk
        for split, count in counts.items()
        for chunk in chunks_of(settings.out, split, count, seed=settings.seed, largest=CHUNK)
    ]


if __name__ == "__main__":
    sys.exit(main())
