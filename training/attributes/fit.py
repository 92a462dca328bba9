"""Training and publishing of models of attributes."""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader

from preprocessing.datasets.attribute_table import MISSING, Attribute
from preprocessing.errors import UsageError
from training.attributes.data import TableSplits, class_names, load_run, open_splits, predictions
from training.attributes.evaluate import catch_all_codes, score_table, write_report
from training.attributes.settings import AttributeFitSettings, AttributeRecipe
from training.common import fit_loop
from training.common.augmentation import AUGMENTATIONS
from training.common.checkpoints import base_info
from training.common.export_weights import (
    check_logits,
    count_parameters,
    first_images,
    publish,
    rounded,
    write_logits_onnx,
)
from training.common.metrics import mean_f1, score_attributes
from training.common.optimisation import NetworkModule, freeze
from training.common.runs import REPORT, Run, RunConfig
from training.common.settings import ExportSettings, LightningMachine
from training.common.subsets import Sampling, class_weights
from training.models.backbones import BackboneNetwork, load_pretrained


class AttributeModule(NetworkModule):
    """A network with the mean loss of its attributes; `val_f1` is their mean macro-F1.

    Args:
        attributes: of the network's outputs.
        class_weights: float32 (classes,) an attribute, of its loss; none for equal weights.
        modes: see `score_attributes`.
    """

    recipe: AttributeRecipe
    network: BackboneNetwork

    def __init__(
        self,
        recipe: AttributeRecipe,
        attributes: Sequence[Attribute],
        *,
        class_weights: Sequence[torch.Tensor] = (),
        modes: np.ndarray,
    ):
        sizes = [len(attribute) for attribute in attributes]
        shape = recipe.shape(sum(sizes))
        network = BackboneNetwork(recipe.network, shape, dropout=recipe.dropout)
        if recipe.pretrained != "none":
            load_pretrained(network, recipe.network, recipe.pretrained)
        super().__init__(network, recipe)
        self._attributes, self._modes, self._sizes = attributes, modes, sizes
        self._augment = AUGMENTATIONS[recipe.augment]
        self._class_weights = class_weights or [torch.ones(size) for size in sizes]
        self._predictions: list[tuple[np.ndarray, np.ndarray]] = []

    def on_train_epoch_start(self) -> None:
        freeze(self.network.backbone, self.recipe, epoch=self.current_epoch)

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> torch.Tensor:
        images, values = batch
        images = self._augment(images.float()).contiguous(memory_format=torch.channels_last)
        logits = self(images).float()
        loss = self.loss(logits, values)
        self.log_dict({"train_loss": loss, "train_acc": self.accuracy(logits, values)},
                      on_step=False, on_epoch=True, batch_size=len(values))  # fmt: skip
        return loss

    def loss(self, logits: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """Mean cross-entropy of the attributes over the pictures whose classes are known."""
        losses = [
            F.cross_entropy(own, truth, weights.to(logits.device), ignore_index=MISSING,
                            reduction="sum") / (truth != MISSING).sum().clamp(min=1)
            for own, truth, weights in zip(
                logits.split(self._sizes, dim=1), values.T, self._class_weights, strict=True
            )
        ]  # fmt: skip
        return torch.stack(losses).mean()

    def accuracy(self, logits: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """Fraction of the known classes that are predicted."""
        predicted = [own.argmax(dim=1) for own in logits.split(self._sizes, dim=1)]
        known = values != MISSING
        right = (torch.stack(predicted, dim=1) == values)[known]
        return right.float().mean() if known.any() else torch.tensor(0.0)

    def on_validation_epoch_start(self) -> None:
        self._predictions = []

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> None:
        images, values = batch
        logits = self(images).float()
        self._predictions.append((logits.cpu().numpy(), values.cpu().numpy()))
        self.log_dict({"val_loss": self.loss(logits, values),
                       "val_acc": self.accuracy(logits, values)},
                      on_epoch=True, batch_size=len(values))  # fmt: skip

    def on_validation_epoch_end(self) -> None:
        logits, values = map(np.concatenate, zip(*self._predictions, strict=True))
        scores = score_attributes(logits, values, self._attributes, modes=self._modes)
        self.log("val_f1", mean_f1(scores))


BAD_LOG = "unreadable.txt"  # of a run: pictures that could not be read in training


class AttributeTraining:
    """See `fit_loop.Training`; opens the table of a run.

    Raises:
        DataError, UsageError: the data set or the flags cannot be used.
    """

    best_metric = "val_f1"

    def __init__(self, settings: AttributeFitSettings, run: Run):
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


def fit(settings: AttributeFitSettings, machine: LightningMachine, run: Run) -> str | None:
    """Train the model of the settings and evaluate it on validation.

    Returns the text to print; None after Ctrl-C.

    Raises:
        DataError, UsageError: the data set or the recipe cannot be used.
    """
    return fit_loop.fit(settings, machine, run, AttributeTraining(settings, run))


def _counts(splits: TableSplits) -> str:
    return (f"{len(splits.training)} pictures to train, {len(splits.validation)} to validate on; "
            f"{len(splits.absent)} names without a picture; {len(splits.conflicting)} with "
            "contradicting rows, whose contradicting values count as missing")  # fmt: skip


def _class_weights(splits: TableSplits) -> list[torch.Tensor]:
    """For each attribute weights float32 (classes,) that make its classes count alike."""
    columns = zip(splits.attributes, splits.training.labels.T, strict=True)
    return [class_weights(column[column != MISSING], classes=len(one)) for one, column in columns]


def evaluate_run(folder: Path) -> tuple[str, dict[str, object]]:
    """Evaluate the best network and write its report; see `fit_loop.Training`."""
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


def export(settings: ExportSettings) -> str:
    """Publish the best network of a run, and return the text to print.

    Raises:
        UsageError: no such run, or it has not been evaluated.
        WeightsError: the file's graph and its tensors give different logits.
    """
    run, figures = load_run(settings.run), settings.run / REPORT
    if not figures.is_file():
        raise UsageError(f"{settings.run} has no {REPORT}: let training.fit finish")
    network = rounded(run.network)
    info = replace(
        base_info(run.config, network, network_input="photo"),
        head=run.config.settings.recipe.head,
        attributes=run.splits.attributes,
        metrics={
            "parameters": count_parameters(network),
            "validation": json.loads(figures.read_text()),
        },
    )
    images = first_images(run.splits.validation.loader())
    publish(
        info,
        network,
        settings.out,
        write_onnx=lambda path: write_logits_onnx(path, network, info, half=True),
        check=lambda stem, published: check_logits(stem, published, images),
    )
    return f"wrote {settings.out / info.name}.onnx"
