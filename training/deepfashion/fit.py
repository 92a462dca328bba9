"""Training and publishing of DeepFashion networks."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader

from preprocessing.errors import UsageError
from training.common import fit_loop, runs
from training.common.augmentation import AUGMENTATIONS
from training.common.checkpoints import base_info
from training.common.export_weights import (
    compare_logits,
    count_parameters,
    publish,
    rounded,
    write_logits_onnx,
)
from training.common.optimisation import NetworkModule, freeze
from training.common.runs import REPORT, Run, RunConfig, read_config
from training.common.settings import ExportSettings, LightningMachine
from training.common.subsets import Sampling
from training.deepfashion.data import (
    Baseline,
    Batch,
    FashionSplits,
    Labels,
    fit_baseline,
    open_splits,
)
from training.deepfashion.evaluate import draw_boxes, predictions, score_batches, write_report
from training.deepfashion.losses import LossWeights, losses, rarity_weights
from training.deepfashion.network import (
    BOX,
    FashionNetwork,
    Outputs,
    load_network,
    load_run,
)
from training.deepfashion.settings import FashionFitSettings, FashionRecipe
from training.inference.openvino_network import OpenVinoNetwork
from training.inference.weights import WeightsInfo
from training.models.backbones import load_pretrained


class FashionModule(NetworkModule):
    """A network with the sum of its losses; `val_score` is the mean of its figures.

    Args:
        results: CSV file that every epoch's figures are added to.
    """

    recipe: FashionRecipe
    network: FashionNetwork

    def __init__(
        self,
        recipe: FashionRecipe,
        outputs: Outputs,
        *,
        baseline: Baseline,
        weights: LossWeights,
        results: Path,
    ):
        network = FashionNetwork(recipe.network, outputs, size=recipe.size, dropout=recipe.dropout)
        if recipe.pretrained != "none":
            load_pretrained(network, recipe.network, recipe.pretrained)
        super().__init__(network, recipe)
        self._outputs, self._baseline, self._results = outputs, baseline, results
        self._augment = AUGMENTATIONS[recipe.augment]
        self._weights = weights
        self._predictions: list[Batch] = []

    def on_train_epoch_start(self) -> None:
        freeze(self.network.backbone, self.recipe, epoch=self.current_epoch)

    def training_step(self, batch: Batch, _: int) -> torch.Tensor:
        images, labels = batch
        images = self._augment(images.float()).contiguous(memory_format=torch.channels_last)
        loss = self._loss(self(images), labels)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(images))
        return loss

    def _loss(self, predicted: torch.Tensor, labels: Labels) -> torch.Tensor:
        found = losses(predicted.float(), labels, self._outputs, self.recipe, weights=self._weights)
        return torch.stack(list(found.values())).sum()

    def on_validation_epoch_start(self) -> None:
        self._predictions = []

    def validation_step(self, batch: Batch, _: int) -> None:
        images, labels = batch
        predicted = self(images)
        loss = self._loss(predicted, labels)
        self.log("val_loss", loss, on_epoch=True, batch_size=len(images))
        labels = {name: label.cpu() for name, label in labels.items()}
        self._predictions.append((predicted.float().cpu(), labels))

    def on_validation_epoch_end(self) -> None:
        scores = score_batches(self._predictions, self._outputs, baseline=self._baseline)
        self.log("val_score", scores.score)
        row = {"epoch": self.current_epoch, **scores.summary()}
        runs.append_row(self._results, row)


RESULTS = "results.csv"  # of a run: the figures of every epoch


class FashionTraining:
    """See `fit_loop.Training`; opens the benchmark of a run.

    Raises:
        DataError: the benchmark cannot be used.
    """

    best_metric = "val_score"

    def __init__(self, settings: FashionFitSettings, run: Run):
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

    def evaluate(self, config: RunConfig[FashionFitSettings]) -> tuple[str, dict[str, object]]:
        return evaluate_run(self._folder, config)


def fit(settings: FashionFitSettings, machine: LightningMachine, run: Run) -> str | None:
    """Train the network of the settings and evaluate it.

    Returns the text to print; None after Ctrl-C.

    Raises:
        DataError, UsageError: the benchmark or the recipe cannot be used.
    """
    return fit_loop.fit(settings, machine, run, FashionTraining(settings, run))


def _counts(splits: FashionSplits) -> str:
    return (f"{len(splits.training)} training, {len(splits.validation)} validation, "
            f"{len(splits.test)} test pictures; {splits.absent} of the lists are not there"
            )  # fmt: skip


def evaluate_run(
    folder: Path, config: RunConfig[FashionFitSettings]
) -> tuple[str, dict[str, object]]:
    """Evaluate the best network and write its report; see `fit_loop.Training`.

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


NOISE_IMAGES = 8  # on which the two files are compared


def export(settings: ExportSettings) -> str:
    """Publish the best network of a run, and return the text to print.

    Raises:
        UsageError: no such run, or it has not been evaluated.
        WeightsError: the two files give different outputs.
    """
    config, figures = read_config(settings.run, FashionFitSettings), settings.run / REPORT
    if not figures.is_file():
        raise UsageError(f"{settings.run} has no {REPORT}: let training.fit finish")
    outputs = open_splits(config.settings).outputs
    network = rounded(load_run(settings.run, config.settings.recipe, outputs))
    info = replace(
        base_info(config, network, network_input="photo"),
        attributes=outputs.parts,
        metrics={
            "parameters": count_parameters(network),
            "judged": json.loads(figures.read_text()),
        },
    )
    publish(
        info,
        network,
        settings.out,
        write_onnx=lambda path: write_logits_onnx(path, network, info, half=True),
        check=check,
    )
    return f"wrote {settings.out / info.name}.onnx"


def check(stem: Path, info: WeightsInfo) -> None:
    """Compare the outputs of the file's graph and of its tensors for noise.

    Raises:
        WeightsError: they differ by more than rounding.
    """
    shape = (NOISE_IMAGES, 3, info.size, info.size)
    noise = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    with torch.inference_mode():
        from_tensors = load_network(stem, info)(torch.from_numpy(noise)).numpy()
    compare_logits(stem, OpenVinoNetwork(stem, precision="fp32")(noise), from_tensors)
