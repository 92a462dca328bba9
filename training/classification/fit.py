"""Training of classifiers."""

import json
from pathlib import Path

from torch.utils.data import DataLoader

from training.classification.data import NETWORK_INPUT, open_splits
from training.classification.evaluate import evaluate_run
from training.classification.module import ClassifierModule
from training.classification.networks import load_run
from training.classification.settings import FitSettings
from training.common import fitting, reports, runs
from training.common.publish import count_parameters
from training.common.runs import METRICS, REPORT, Run
from training.common.settings import LightningMachine
from training.common.subsets import Sampling, class_weights

BEFORE_REFIT = "before the refit"  # where the figures of a refitted run were measured


class ClassifierTraining:
    """See `fitting.Training`; opens the data set of a run."""

    def __init__(self, settings: FitSettings, run: Run):
        self._settings, self._folder = settings, run.folder
        run.folder.mkdir(parents=True, exist_ok=True)
        self._splits = open_splits(settings, run)
        self.classes = self._splits.classes
        self.best_metric = "val_acc" if self._splits.validation else "epoch"

    def module(self) -> ClassifierModule:
        recipe, labels = self._settings.recipe, self._splits.training.labels
        weights = None
        if recipe.balance == "loss":
            weights = class_weights(labels, classes=len(self.classes))
        return ClassifierModule(
            recipe,
            classes=self.classes,
            class_weights=weights,
            max_bad=self._settings.rules.max_bad,
        )

    def loaders(self, *, rank: int, world: int) -> tuple[DataLoader, DataLoader | None]:
        recipe, validation = self._settings.recipe, self._splits.validation
        sampling = Sampling(
            recipe.batch_size,
            self._settings.seed,
            balanced=recipe.balance == "sampling",
            rank=rank,
            world=world,
        )
        return self._splits.training.loader(sampling), validation.loader() if validation else None

    def finish(self) -> str:
        return finish(self._folder, refit=self._settings.refit)


def fit(settings: FitSettings, machine: LightningMachine, run: Run) -> str | None:
    """Train the classifier of the settings and evaluate it: the text to print; None after Ctrl-C.

    Raises:
        DataError, UsageError: the data set or the recipe cannot be used.
    """
    return fitting.fit(settings, machine, run, ClassifierTraining(settings, run))


def finish(folder: Path, *, refit: Path | None) -> str:
    """Write curves and report of a trained run, enter it in the run index: the text to print."""
    rows = runs.read_metrics(folder / METRICS)
    text = f"trained {len(rows)} epochs in {runs.minutes(rows)} min; run folder {folder}"
    reports.plot_curves(folder / "curves.png", rows)
    if refit:
        figures = json.loads((refit / REPORT).read_text())
        figures["measured_on"] = BEFORE_REFIT
        (folder / REPORT).write_text(json.dumps(figures, indent=1) + "\n")
    else:
        text += f"\n{evaluate_run(folder)}"
    enter(folder)
    return text


def enter(folder: Path) -> None:
    """Add or replace the row of a finished run in the run index."""
    run = load_run(folder)
    rows = runs.read_metrics(folder / METRICS)
    validated = [float(row["val_acc"]) for row in rows if row.get("val_acc")]
    kind = NETWORK_INPUT[run.config.settings.recipe.channels]
    figures = json.loads((folder / REPORT).read_text()) | {
        "data": "Fashion-MNIST" if kind == "fashion-mnist" else "photos",
        "parameters": count_parameters(run.network),
        "validation_accuracy": max(validated, default=""),
    }
    runs.enter_index(folder, run.config, **figures)
