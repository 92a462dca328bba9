"""Data sets of classifiers: Fashion-MNIST, or photos that are indexed in a run."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch

from preprocessing.builders.photo_dataset import MAPPING, DataSet, build, read, read_source, write
from preprocessing.datasets import fashion_mnist
from preprocessing.datasets.fashion_mnist import CLASSES
from preprocessing.datasets.samples_and_splits import (
    INDEX,
    Sample,
    read_samples,
    split_samples,
    stratified_split,
    write_csv,
)
from preprocessing.errors import DataError, UsageError
from preprocessing.images.pictures import picture_paths
from preprocessing.labels import GARMENT_CLASSES, PHOTO_FASHION_MNIST
from preprocessing.synthesis.cutouts import fashion_mnist_photos
from training.classification.settings import ClassifierEvaluateSettings, ClassifierFitSettings
from training.common.runs import DATA, Run, is_main_process
from training.common.subsets import ImageSubset, PhotoSubset, Splits, Subset
from training.inference.weights import WeightsInfo

log = logging.getLogger(__name__)
NETWORK_INPUT = {1: "fashion-mnist", 3: "photo"}  # row of NETWORK_INPUTS by the network's channels
HELD_OUT = 0.15  # fraction of the photos that a Fashion-MNIST network does not learn from
BAD_LOG = "unreadable.txt"  # of a run: photos that could not be read in training


def open_splits(settings: ClassifierFitSettings, run: Run) -> Splits:
    """The data set to train on; photos are checked, split and indexed in the run's folder.

    Raises:
        DataError: see `index_photos` and `fashion_mnist.load`.
    """
    max_bad = settings.rules.max_bad
    if settings.refit:
        return photo_splits(run.folder, settings, max_bad=max_bad, refit=True)
    if settings.data is None:
        return _fashion_mnist(settings, run)
    if is_main_process() and not run.resumed:
        found = index_photos(settings, run.folder)
        if found.bad:
            log.warning(f"{len(found.bad)} pictures left out: see {run.folder}/{DATA}/bad.csv")
    return photo_splits(run.folder, settings, max_bad=max_bad)


def finished_splits(folder: Path, settings: ClassifierFitSettings) -> Splits:
    """The data set that a finished run learnt from and is evaluated on.

    Raises:
        DataError: see `fashion_mnist.load` and `photo_dataset.read`.
    """
    if has_photos(folder):
        return photo_splits(folder, settings, max_bad=1.0, refit=bool(settings.refit))
    size = settings.recipe.size
    training, validation = training_subsets(settings.data_dir, size=size)
    test = test_subset(settings.data_dir, limit=settings.limit_test, size=size)
    return Splits(CLASSES, training, validation, test)


def has_photos(folder: Path) -> bool:
    """True if a run learnt from photos, not from Fashion-MNIST."""
    return (folder / DATA / INDEX).is_file()


def _fashion_mnist(settings: ClassifierFitSettings, run: Run) -> Splits:
    recipe, data_dir = settings.recipe, settings.data_dir
    training, validation = training_subsets(data_dir, limit=settings.limit_train, size=recipe.size)
    if settings.photos:
        photos = cut_out(garment_photos(settings.photos, run.folder, settings))
        training = training.with_repeated(photos, repeats=recipe.photo_repeats)
    test = test_subset(data_dir, limit=settings.limit_test, size=recipe.size)
    return Splits(CLASSES, training, validation, test)


def garment_photos(source: Path, folder: Path, settings: ClassifierFitSettings) -> list[Sample]:
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


def index_photos(settings: ClassifierFitSettings, folder: Path) -> DataSet:
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
    folder: Path, settings: ClassifierFitSettings, *, max_bad: float, refit: bool = False
) -> Splits:
    """The photos that `index_photos` put into a run's folder.

    Args:
        refit: train on all of them, and evaluate on none.

    Raises:
        DataError: see `photo_dataset.read`.
    """
    data_set, log = read(folder / DATA, max_bad=max_bad), folder / BAD_LOG
    recipe = settings.recipe

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


VALIDATION_IMAGES = 5000
# One split for all runs and seeds: what validation chose stays comparable, and no later run trains
# on the images that an earlier one was chosen or calibrated by.
SPLIT_SEED = 0
# Labels to learn from and to evaluate by, and labels near enough to learn from alone.
LABELS = {label: name for label, name in PHOTO_FASHION_MNIST.items() if label in GARMENT_CLASSES}
RELATED = {label: name for label, name in PHOTO_FASHION_MNIST.items() if label not in LABELS}


def training_subsets(
    data_dir: Path | None = None, *, limit: int | None = None, size: int = 28
) -> tuple[ImageSubset, ImageSubset]:
    """Training and validation subset of the 60,000, each cut to `limit` if given.

    Raises:
        DataError: see `fashion_mnist.load`.
    """
    images, labels = fashion_mnist.load("train", data_dir)
    split = stratified_split(labels, count=VALIDATION_IMAGES, seed=SPLIT_SEED)
    training, validation = (
        _resized(images[rows[:limit]], labels[rows[:limit]], size=size) for rows in split
    )
    return training, validation


def test_subset(
    data_dir: Path | None = None, *, limit: int | None = None, size: int = 28
) -> ImageSubset:
    """The 10,000 test images, or the first `limit`.

    Raises:
        DataError: see `fashion_mnist.load`.
    """
    images, labels = fashion_mnist.load("test", data_dir)
    return _resized(images[:limit], labels[:limit], size=size)


def _resized(images: np.ndarray, labels: np.ndarray, *, size: int) -> ImageSubset:
    if size != images.shape[-1]:
        images = np.stack([cv2.resize(image, (size, size)) for image in images])
    return ImageSubset(torch.tensor(images).unsqueeze(1), torch.tensor(labels))


def known_photos(
    source: Path, *, group_column: str = "group", labels: Collection[str] = LABELS
) -> list[Sample]:
    """The photos of a folder a class or of a CSV whose labels mean one of our classes.

    Raises:
        DataError: there are none, or see `read_samples`.
    """
    samples = read_samples(source, group_column=group_column)
    samples = [sample for sample in samples if sample.label in labels]
    if not samples:
        raise DataError(f"no photos in {source}: wanted the labels {', '.join(labels)}")
    return samples


def cut_out(samples: Sequence[Sample]) -> ImageSubset:
    """Photos of `known_photos`, of each its largest garment, segmented and shrunk.

    Raises:
        DataError: a photo cannot be read.
    """
    images = torch.from_numpy(fashion_mnist_photos([sample.path for sample in samples]))
    labels = [CLASSES.index(PHOTO_FASHION_MNIST[sample.label]) for sample in samples]
    return ImageSubset(images[:, None], torch.tensor(labels))


def chosen_photos(
    settings: ClassifierEvaluateSettings, source: Path, info: WeightsInfo
) -> tuple[Subset, str]:
    """Photos to evaluate a network on, and their name.

    Without --split it is the test split where there is one, else the validation split, else all.

    Raises:
        DataError: nothing there, or labels that the network does not know.
    """
    cutting = info.network_input == "fashion-mnist"
    samples = known_photos(source) if cutting else read_source(source)
    if settings.classes:
        samples = [sample for sample in samples if sample.label in settings.classes]
    there = [name for name in ("test", "validation") if any(s.split == name for s in samples)]
    chosen = settings.split or (there[0] if there else None)
    if chosen:
        samples = [sample for sample in samples if sample.split == chosen]
    if not samples:
        wanted = ", ".join(settings.classes) or "any class"
        raise DataError(f"{source} has no {chosen or ''} pictures of {wanted}")
    name = f"{chosen or 'all'} of {source}"
    return (cut_out(samples) if cutting else photos_for(info, samples)), name


def photos_for(info: WeightsInfo, samples: Sequence[Sample]) -> PhotoSubset:
    """Photos as the input of a network.

    Raises:
        DataError: a label is none of its classes.
    """
    unknown = sorted({sample.label for sample in samples} - set(info.classes))
    if unknown:
        raise DataError(
            f"{info.name} does not know {', '.join(unknown)}: it knows "
            f"{', '.join(info.classes)}; choose classes with --classes"
        )
    return PhotoSubset(samples, info.classes, info.size)


def empty_photos(source: Path, info: WeightsInfo) -> PhotoSubset:
    """Pictures without garments, whose labels mean nothing.

    Raises:
        DataError: there are none.
    """
    samples = [Sample(path, info.classes[0]) for path in picture_paths(source)]
    if not samples:
        raise DataError(f"no pictures in --empty {source}")
    return photos_for(info, samples)


def compression_subsets(
    info: WeightsInfo, source: Path | None, data_dir: Path | None
) -> tuple[Subset, Subset]:
    """Training and validation subset to compress a network with.

    Raises:
        UsageError: it takes photos, and none are given.
        DataError: the photos have no validation split.
    """
    if info.network_input == "fashion-mnist":
        return training_subsets(data_dir, size=info.size)
    if source is None:
        raise UsageError(f"{info.name} takes photos: give --data DIR, as "
                         "preprocessing.builders.photo_dataset writes it")  # fmt: skip
    found = read(source, max_bad=0.01)
    training, validation = (photos_for(info, found.of(n)) for n in ("training", "validation"))
    if not len(training) or not len(validation):
        raise DataError(f"{source} needs a training and a validation split: see "
                        "preprocessing.builders.photo_dataset")  # fmt: skip
    return training, validation
