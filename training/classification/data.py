"""Opens the data set that a recipe learns from, ready for training."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from preprocessing.builders.photo_dataset import MAPPING, DataSet, build, read, read_source, write
from preprocessing.datasets.samples import INDEX, Sample, write_csv
from preprocessing.datasets.split_rules import Rules
from preprocessing.datasets.splits import split_samples
from training.classification.photo_cutouts import LABELS, RELATED, known_photos, photo_split
from training.classification.recipes import Recipe
from training.common import data_parts
from training.common.checkpoints import read_config
from training.common.data_parts import DataParts
from training.common.photo_parts import PhotoPart

HELD_OUT = 0.15  # share of the photos that a Fashion-MNIST network does not learn from
FOLDER, BAD_LOG = "data", "unreadable.txt"  # of a run: its data set, and what failed in training


def fashion_mnist_parts(
    recipe: Recipe,
    *,
    data_dir: str | None,
    limit_train: int | None = None,
    limit_test: int | None = None,
    photos: Sequence[Sample] = (),
) -> DataParts:
    """Fashion-MNIST at the recipe's size.

    Args:
        photos: samples of real garments to learn from as well, cut out and shrunk like the others.

    Raises:
        DataError: see `fashion_mnist.load` and `photo_split`.
    """
    training, validation = data_parts.training_splits(data_dir, limit=limit_train, size=recipe.size)
    if photos:
        training = data_parts.joined(training, photo_split(photos), repeats=recipe.photo_repeats)
    test = data_parts.test_split(data_dir, limit=limit_test, size=recipe.size)
    return DataParts(data_parts.CLASSES, training, validation, test)


def real_garments(source: Path, run: Path, *, group_column: str, seed: int) -> list[Sample]:
    """The photos for a Fashion-MNIST network to learn from; run/photos.csv has those held out too.

    Photos of RELATED labels are learnt from as well, but for those of senders that are held out.

    Raises:
        DataError: see `known_photos`.
    """
    every = known_photos(source, group_column=group_column, labels=LABELS | RELATED)
    found = [sample for sample in every if sample.label in LABELS]
    samples = split_samples(found, validation=HELD_OUT, test=0, seed=seed)
    held_out = {s.group for s in samples if s.split == "validation"} - {""}
    samples += [
        replace(sample, split="training")
        for sample in every
        if sample.label in RELATED and sample.group not in held_out
    ]
    write_csv(run / "photos.csv", samples)
    return [sample for sample in samples if sample.split == "training"]


def index_photos(source: Path, run: Path, rules: Rules, *, group_column: str) -> DataSet:
    """Check and split the photos of `source`, and keep the index in the run's folder.

    Raises:
        DataError: see `read_source`, `build` and `read`.
    """
    if (source / MAPPING).is_file():
        data_set = read(source, max_bad=rules.max_bad)
    else:
        data_set = build(read_source(source, group_column=group_column), rules)
    write(data_set, run / FOLDER)
    return data_set


def photo_parts(run: Path, recipe: Recipe, *, max_bad: float, refit: bool = False) -> DataParts:
    """The photos that `index_photos` put into a run's folder.

    Args:
        refit: train on all of them, and judge by none.
    """
    data_set = read(run / FOLDER, max_bad=max_bad)

    def part(samples: list, *, crop: float = 1.0, hung: float = 0.0) -> PhotoPart | None:
        if not samples:
            return None
        log = run / BAD_LOG
        return PhotoPart(samples, data_set.classes, recipe.size, crop, log, hung=hung)

    learnt = list(data_set.samples) if refit else data_set.of("training")
    training = part(learnt, crop=recipe.crop, hung=recipe.hung)
    if refit:
        return DataParts(data_set.classes, training, None, None)
    return DataParts(
        data_set.classes, training, part(data_set.of("validation")), part(data_set.of("test"))
    )


def run_parts(
    run: Path, recipe: Recipe, *, data_dir: str | None, limit_test: int | None = None
) -> DataParts:
    """What a finished run learnt from and was judged by.

    Raises:
        DataError: see `fashion_mnist_parts` and `photo_parts`.
    """
    if not has_photos(run):
        return fashion_mnist_parts(recipe, data_dir=data_dir, limit_test=limit_test)
    _, config = read_config(run)
    return photo_parts(run, recipe, max_bad=1.0, refit=bool(config.get("refit")))


def has_photos(run: Path) -> bool:
    """Whether a run learnt from photos, not from Fashion-MNIST."""
    return (run / FOLDER / INDEX).is_file()
