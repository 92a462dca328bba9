"""Training of parsers."""

from pathlib import Path

import torch
from torch.utils.data import DataLoader

from preprocessing.datasets.samples import read_csv
from preprocessing.datasets.splits import split_samples
from preprocessing.errors import DataError
from preprocessing.images.class_maps import CLASSES
from preprocessing.images.pictures import picture_paths
from preprocessing.synthesis.backgrounds import Patches
from training.common import fitting
from training.common.runs import Run, RunConfig
from training.common.settings import LightningMachine
from training.inference import weights
from training.inference.parser import openvino_parser
from training.parsing.data import (
    AnnotatedPhoto,
    ComputedMask,
    MaskedPhoto,
    count_pixels,
    masked_photos,
    pseudo_labelled,
    single_garments,
)
from training.parsing.export import publish_run
from training.parsing.module import ParserModule, pixel_class_weights
from training.parsing.settings import FitSettings
from training.parsing.views import RandomViews, ViewSources, WholePhotos

SINGLE_VALIDATION = 0.1  # fraction of the photos of single garments that training does not see


class ParserTraining:
    """See `fitting.Training`; opens the photos of a run.

    Raises:
        DataError, WeightsError: a data set or the teacher cannot be used.
    """

    classes = CLASSES
    best_metric = "val_iou"

    def __init__(self, settings: FitSettings, run: Run):
        self._settings, self._folder = settings, run.folder
        self._photos = masked_photos(settings.data)
        sources = view_sources(settings, self._photos["training"])
        self._views = RandomViews(sources, settings.recipe, settings.seed)

    def module(self) -> ParserModule:
        counts = torch.from_numpy(count_pixels(self._photos["training"]))
        weights_ = pixel_class_weights(counts)
        return ParserModule(self._settings.recipe, self._views, class_weights=weights_)

    def loaders(self, *, rank: int, world: int) -> tuple[DataLoader, DataLoader]:
        recipe = self._settings.recipe
        validation = WholePhotos(self._photos["validation"], recipe.photo_size)
        return self._views.loader(recipe.batch_size), validation.loader(recipe.batch_size)

    def evaluate(self, config: RunConfig) -> tuple[str, dict[str, object]]:
        return evaluate_run(self._folder)


def fit(settings: FitSettings, machine: LightningMachine, run: Run) -> str | None:
    """Train the parser of the settings, publish it into its run and evaluate it.

    Returns the text to print; None after Ctrl-C.

    Raises:
        DataError, UsageError, WeightsError: a data set, the recipe or the teacher cannot be used.
    """
    return fitting.fit(settings, machine, run, ParserTraining(settings, run))


def view_sources(settings: FitSettings, parsed: list[MaskedPhoto]) -> ViewSources:
    """Open the data sets of a training.

    Args:
        parsed: photos with masks, to train on.

    Raises:
        DataError: no garment-free pictures, or boxes that cannot be read.
        WeightsError: the teacher cannot be read.
    """
    backgrounds, boxed = None, _pseudo_labelled(settings)
    if settings.backgrounds:
        pictures = picture_paths(settings.backgrounds)
        if not pictures:
            raise DataError(f"no pictures in --backgrounds {settings.backgrounds}")
        backgrounds = Patches(pictures)
    # Masks drawn by hand are drawn twice as often as pseudo-labels.
    people: list[AnnotatedPhoto] = [*parsed, *parsed, *boxed]
    return ViewSources(people, _single_garments(settings), backgrounds)


def _pseudo_labelled(settings: FitSettings) -> list[ComputedMask]:
    if not settings.boxed:
        return []
    teacher = openvino_parser(*weights.locate_for("parse", settings.teacher))
    return [
        photo
        for folder in settings.boxed
        for photo in pseudo_labelled(folder, teacher, label_file=settings.boxed_labels)
    ]


def _single_garments(settings: FitSettings) -> list[ComputedMask]:
    """The training part of the photos of single garments; no group is on two sides."""
    if not settings.photos:
        return []
    samples = read_csv(settings.photos, group_column=settings.group_column)
    samples = split_samples(samples, validation=SINGLE_VALIDATION, test=0, seed=settings.seed)
    return single_garments([sample for sample in samples if sample.split == "training"])


def evaluate_run(folder: Path) -> tuple[str, dict[str, object]]:
    """Publish the best network into its run, evaluated on validation; see `fitting.Training`."""
    info, text = publish_run(folder, folder)
    return text, {"count": info.metrics["validation"]["photos"], "measured_on": "validation"}
