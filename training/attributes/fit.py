"""Training of models of attributes."""

import sys
from pathlib import Path

import torch
from torch.utils.data import DataLoader

from preprocessing.datasets.attribute_table import MISSING
from training.attributes.data import TableSplits, open_splits
from training.attributes.metrics import catch_all_codes, score_table
from training.attributes.module import AttributeModule
from training.attributes.networks import class_names, load_run, predictions
from training.attributes.report import write_report
from training.attributes.settings import FitSettings
from training.common import fitting
from training.common.runs import Run, RunConfig
from training.common.settings import LightningMachine
from training.common.subsets import Sampling, class_weights

BAD_LOG = "unreadable.txt"  # of a run: pictures that could not be read in training


class AttributeTraining:
    """See `fitting.Training`; opens the table of a run.

    Raises:
        DataError, UsageError: the data set or the flags cannot be used.
    """

    best_metric = "val_f1"

    def __init__(self, settings: FitSettings, run: Run):
        self._settings, self._folder = settings, run.folder
        run.folder.mkdir(parents=True, exist_ok=True)
        self._splits = open_splits(settings, bad_log=run.folder / BAD_LOG)
        print(_counts(self._splits), file=sys.stderr)
        catch_all_codes(settings.catch_all, self._splits.attributes)  # wrong ones fail early
        self.classes = class_names(self._splits.attributes)

    def module(self) -> AttributeModule:
        recipe, splits = self._settings.recipe, self._splits
        weights = _class_weights(splits) if recipe.balance == "loss" else ()
        return AttributeModule(recipe, splits.attributes, class_weights=weights, modes=splits.modes)

    def loaders(self, *, rank: int, world: int) -> tuple[DataLoader, DataLoader]:
        recipe = self._settings.recipe
        sampling = Sampling(
            recipe.batch_size,
            self._settings.seed,
            balanced=recipe.balance == "sampling",
            rank=rank,
            world=world,
        )
        return self._splits.training.loader(sampling), self._splits.validation.loader()

    def evaluate(self, config: RunConfig) -> tuple[str, dict[str, object]]:
        return evaluate_run(self._folder)


def fit(settings: FitSettings, machine: LightningMachine, run: Run) -> str | None:
    """Train the model of the settings and evaluate it on validation.

    Returns the text to print; None after Ctrl-C.

    Raises:
        DataError, UsageError: the data set or the recipe cannot be used.
    """
    return fitting.fit(settings, machine, run, AttributeTraining(settings, run))


def _counts(splits: TableSplits) -> str:
    return (f"{len(splits.training)} pictures to train, {len(splits.validation)} to validate on; "
            f"{len(splits.absent)} names without a picture; {len(splits.conflicting)} with "
            "contradicting rows, whose contradicting values count as missing")  # fmt: skip


def _class_weights(splits: TableSplits) -> list[torch.Tensor]:
    """For each attribute weights float32 (classes,) that make its classes count alike."""
    columns = zip(splits.attributes, splits.training.labels.T, strict=True)
    return [class_weights(column[column != MISSING], classes=len(one)) for one, column in columns]


def evaluate_run(folder: Path) -> tuple[str, dict[str, object]]:
    """Evaluate the best network and write its report; see `fitting.Training`."""
    run = load_run(folder)
    settings, splits = run.config.settings, run.splits
    logits, values = predictions(run.network, splits.validation)
    scores = score_table(
        logits, values, splits.attributes, modes=splits.modes, catch_all=settings.catch_all
    )
    title = f"{settings.model} on the validation pictures of {settings.table}"
    text = write_report(folder, scores, title=title)
    return text, {
        "data": settings.table,
        "measured_on": "validation",
        "count": len(splits.validation),
        "macro_f1": scores.summary()["macro_f1"],
    }
