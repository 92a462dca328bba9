"""Training of DeepFashion networks."""

import sys
from pathlib import Path

import torch
from torch.utils.data import DataLoader

from training.common import fitting
from training.common.runs import Run, RunConfig
from training.common.settings import LightningMachine
from training.common.subsets import Sampling
from training.deepfashion.baseline import fit_baseline
from training.deepfashion.losses import rarity_weights
from training.deepfashion.metrics import score_batches
from training.deepfashion.module import FashionModule, predictions
from training.deepfashion.network import load_run
from training.deepfashion.outputs import BOX
from training.deepfashion.report import draw_boxes, write_report
from training.deepfashion.settings import FitSettings
from training.deepfashion.splits import FashionSplits, open_splits

RESULTS = "results.csv"  # of a run: the figures of every epoch


class FashionTraining:
    """See `fitting.Training`; opens the benchmark of a run.

    Raises:
        DataError: the benchmark cannot be used.
    """

    best_metric = "val_score"

    def __init__(self, settings: FitSettings, run: Run):
        self._settings, self._folder = settings, run.folder
        self._splits = open_splits(settings)
        print(_counts(self._splits), file=sys.stderr)
        self.classes = self._splits.outputs.names

    def module(self) -> FashionModule:
        recipe, training = self._settings.recipe, self._splits.training
        return FashionModule(
            recipe,
            self._splits.outputs,
            baseline=fit_baseline(training),
            weights=rarity_weights(training, recipe),
            results=self._folder / RESULTS,
        )

    def loaders(self, *, rank: int, world: int) -> tuple[DataLoader, DataLoader]:
        settings = self._settings
        sampling = Sampling(settings.recipe.batch_size, settings.seed, rank=rank, world=world)
        return self._splits.training.loader(sampling), self._splits.validation.loader()

    def evaluate(self, config: RunConfig[FitSettings]) -> tuple[str, dict[str, object]]:
        return evaluate_run(self._folder, config)


def fit(settings: FitSettings, machine: LightningMachine, run: Run) -> str | None:
    """Train the network of the settings and evaluate it.

    Returns the text to print; None after Ctrl-C.

    Raises:
        DataError, UsageError: the benchmark or the recipe cannot be used.
    """
    return fitting.fit(settings, machine, run, FashionTraining(settings, run))


def _counts(splits: FashionSplits) -> str:
    return (f"{len(splits.training)} training, {len(splits.validation)} validation, "
            f"{len(splits.test)} test pictures; {splits.absent} of the lists are not there"
            )  # fmt: skip


def evaluate_run(folder: Path, config: RunConfig[FitSettings]) -> tuple[str, dict[str, object]]:
    """Evaluate the best network and write its report; see `fitting.Training`.

    On the test split where there is one, else on the validation split.
    """
    settings, splits = config.settings, open_splits(config.settings)
    network = load_run(folder, settings.recipe, splits.outputs)
    subset, measured_on = splits.validation, "validation"
    if len(splits.test):
        subset, measured_on = splits.test, "test"
    batches = predictions(network, subset)
    scores = score_batches(batches, splits.outputs, baseline=fit_baseline(splits.training))
    title = f"{settings.model} on the {measured_on} split of {settings.data}"
    text = write_report(folder, scores, title=title)
    rows = torch.cat([predicted for predicted, _ in batches])
    draw_boxes(folder / "boxes.png", subset, splits.outputs.split(rows)["box", BOX].numpy())
    return text, {"measured_on": measured_on, "count": scores.count}
