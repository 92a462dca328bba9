"""The data set of a classifier's run: Fashion-MNIST, or photos that are indexed in its folder."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from preprocessing.builders.photo_dataset import MAPPING, DataSet, build, read, read_source, write
from preprocessing.datasets.fashion_mnist import CLASSES
from preprocessing.datasets.samples import INDEX, Sample, write_csv
from preprocessing.datasets.splits import split_samples
from training.classification.fashion_mnist_splits import (
    LABELS,
    RELATED,
    cut_out,
    joined,
    known_photos,
    test_subset,
    training_subsets,
)
from training.classification.recipes import ClassifierRecipe
from training.classification.settings import FitSettings
from training.common.runs import DATA, Run, is_main_process
from training.common.subsets import PhotoSubset, Splits

log = logging.getLogger(__name__)
NETWORK_INPUT = {1: "fashion-mnist", 3: "photo"}  # row of CUTS by the network's channels
HELD_OUT = 0.15  # fraction of the photos that a Fashion-MNIST network does not learn from
BAD_LOG = "unreadable.txt"  # of a run: photos that could not be read in training


def open_splits(settings: FitSettings, run: Run) -> Splits:
    """The data set to train on; photos are checked, split and indexed in the run's folder.

    Raises:
        DataError: see `index_photos` and `fashion_mnist.load`.
    """
    max_bad = settings.rules.max_bad
    if settings.refit:
        return photo_splits(run.folder, settings.recipe, max_bad=max_bad, refit=True)
    if settings.data is None:
        return _fashion_mnist(settings, run)
    if is_main_process() and not run.resumed:
        found = index_photos(settings, run.folder)
        if found.bad:
            log.warning(f"{len(found.bad)} pictures left out: see {run.folder}/{DATA}/bad.csv")
    return photo_splits(run.folder, settings.recipe, max_bad=max_bad)


def finished_splits(folder: Path, settings: FitSettings) -> Splits:
    """The data set that a finished run learnt from and is evaluated on.

    Raises:
        DataError: see `fashion_mnist.load` and `photo_dataset.read`.
    """
    if has_photos(folder):
        return photo_splits(folder, settings.recipe, max_bad=1.0, refit=bool(settings.refit))
    size = settings.recipe.size
    training, validation = training_subsets(settings.data_dir, size=size)
    test = test_subset(settings.data_dir, limit=settings.limit_test, size=size)
    return Splits(CLASSES, training, validation, test)


def has_photos(folder: Path) -> bool:
    """True if a run learnt from photos, not from Fashion-MNIST."""
    return (folder / DATA / INDEX).is_file()


def _fashion_mnist(settings: FitSettings, run: Run) -> Splits:
    recipe, data_dir = settings.recipe, settings.data_dir
    training, validation = training_subsets(data_dir, limit=settings.limit_train, size=recipe.size)
    if settings.photos:
        photos = cut_out(garment_photos(settings.photos, run.folder, settings))
        training = joined(training, photos, repeats=recipe.photo_repeats)
    test = test_subset(data_dir, limit=settings.limit_test, size=recipe.size)
    return Splits(CLASSES, training, validation, test)


def garment_photos(source: Path, folder: Path, settings: FitSettings) -> list[Sample]:
    """The photos for a Fashion-MNIST network to learn from; photos.csv has the held-out ones too.

    Photos of RELATED labels are learnt from as well, but for those of senders that are held out.

    Raises:
        DataError: see `known_photos`.
    """
    labels = LABELS | RELATED
    every = known_photos(source, group_column=settings.rules.group_column, labels=labels)
    found = [sample for sample in every if sample.label in LABELS]
    samples = split_samples(found, validation=HELD_OUT, test=0, seed=settings.seed)
    held_out = {s.group for s in samples if s.split == "validation"} - {""}
    samples += [
        replace(sample, split="training")
        for sample in every
        if sample.label in RELATED and sample.group not in held_out
    ]
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(folder / "photos.csv", samples)
    return [sample for sample in samples if sample.split == "training"]


def index_photos(settings: FitSettings, folder: Path) -> DataSet:
    """Check and split the photos of --data, and keep the index in the run's folder.

    Raises:
        DataError: see `read_source`, `build` and `read`.
    """
    source, rules = settings.data, settings.rules
    if source is None:
        raise ValueError("settings without photos")
    if (source / MAPPING).is_file():
        data_set = read(source, max_bad=rules.max_bad)
    else:
        data_set = build(read_source(source, group_column=rules.group_column), rules)
    write(data_set, folder / DATA)
    return data_set


def photo_splits(
    folder: Path, recipe: ClassifierRecipe, *, max_bad: float, refit: bool = False
) -> Splits:
    """The photos that `index_photos` put into a run's folder.

    Args:
        refit: train on all of them, and evaluate on none.

    Raises:
        DataError: see `photo_dataset.read`.
    """
    data_set, log = read(folder / DATA, max_bad=max_bad), folder / BAD_LOG

    def whole(samples: Sequence[Sample]) -> PhotoSubset | None:
        return PhotoSubset(samples, data_set.classes, recipe.size, bad_log=log) if samples else None

    learnt = list(data_set.samples) if refit else data_set.of("training")
    training = PhotoSubset(
        learnt, data_set.classes, recipe.size, recipe.crop, log, occlusion=recipe.occlusion
    )
    if refit:
        return Splits(data_set.classes, training, None, None)
    return Splits(
        data_set.classes, training, whole(data_set.of("validation")), whole(data_set.of("test"))
    )
