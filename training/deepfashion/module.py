"""Training step of a DeepFashion network, as a Lightning module."""

from pathlib import Path

import torch

from training.common import runs
from training.common.augmentation import AUGMENTATIONS
from training.common.module import NetworkModule, freeze
from training.deepfashion.baseline import Baseline
from training.deepfashion.data import Batch, FashionSubset, Labels
from training.deepfashion.losses import LossWeights, losses
from training.deepfashion.metrics import score_batches
from training.deepfashion.network import FashionNetwork
from training.deepfashion.outputs import Outputs
from training.deepfashion.recipes import FashionRecipe
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


def predictions(network: FashionNetwork, subset: FashionSubset) -> list[Batch]:
    """Return batches of a network's rows float32 (n, outputs.size) with the labels."""
    network = network.eval()
    with torch.inference_mode():
        return [(network(images).float(), labels) for images, labels in subset.loader()]
