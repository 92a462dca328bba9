"""One training step of a DeepFashion network, in Lightning's form."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningModule

from training.common import run_index
from training.common.augmentation import AUGMENTATIONS
from training.common.optimisers import freeze, optimizers
from training.deepfashion.losses import losses
from training.deepfashion.metrics import FashionScores, Habit, score
from training.deepfashion.network import FashionNetwork
from training.deepfashion.outputs import BRANCH, Outputs
from training.deepfashion.recipes import FashionRecipe
from training.models.backbones import load_pretrained

RESULTS = "results.csv"

Batch = tuple[torch.Tensor, dict[str, torch.Tensor]]


class FashionTask(LightningModule):
    """A network with the sum of its losses; every epoch's figures go to the run's results.csv.

    Args:
        weights: "positive_weights" and "group_weights" of `losses`, as far as there are any.
    """

    def __init__(
        self,
        recipe: FashionRecipe,
        outputs: Outputs,
        *,
        run: Path,
        habit: Habit,
        weights: Mapping[str, Any] | None = None,
    ):
        super().__init__()
        self.recipe = recipe
        self._outputs, self._run, self._habit = outputs, run, habit
        network = FashionNetwork(recipe.network, outputs, size=recipe.size, dropout=recipe.dropout)
        if recipe.pretrained != "none":
            load_pretrained(network, recipe.network, recipe.pretrained)
        self.network = network.to(memory_format=torch.channels_last)
        self._augment = AUGMENTATIONS[recipe.augment]
        self._weights = weights or {}
        self._seen: list[tuple[torch.Tensor, dict[str, torch.Tensor]]] = []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.network(images)

    def on_train_epoch_start(self) -> None:
        freeze(self.network, self.recipe, epoch=self.current_epoch)

    def training_step(self, batch: Batch, _: int) -> torch.Tensor:
        images, truth = batch
        images = self._augment(images.float()).contiguous(memory_format=torch.channels_last)
        found = self._losses(self(images), truth)
        loss = torch.stack(list(found.values())).sum()
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(images))
        return loss

    def _losses(
        self, answer: torch.Tensor, truth: dict[str, torch.Tensor]
    ) -> dict[str, torch.Tensor]:
        return losses(answer.float(), truth, self._outputs, self.recipe, **self._weights)

    def on_validation_epoch_start(self) -> None:
        self._seen = []

    def validation_step(self, batch: Batch, _: int) -> None:
        images, truth = batch
        answer = self(images)
        found = self._losses(answer, truth)
        loss = torch.stack(list(found.values())).sum()
        self.log("val_loss", loss, on_epoch=True, batch_size=len(images))
        self._seen.append((answer.float().cpu(), {k: v.cpu() for k, v in truth.items()}))

    def on_validation_epoch_end(self) -> None:
        found = judged(self._seen, self._outputs, habit=self._habit)
        self.log("val_score", found.score)
        row = {"epoch": self.current_epoch, **found.summary()}
        run_index.append(self._run / RESULTS, row)

    def configure_optimizers(self) -> dict:
        return optimizers(self, self.network, self.recipe)


def judged(
    seen: list[tuple[torch.Tensor, dict[str, torch.Tensor]]], outputs: Outputs, *, habit: Habit
) -> FashionScores:
    """The figures of batches of answers with their truths."""
    answer = torch.cat([one for one, _ in seen])
    truth = {name: np.concatenate([t[name].numpy() for _, t in seen]) for name in seen[0][1]}
    categories = None
    if outputs.of_kind(BRANCH):
        categories = outputs.category_scores(outputs.split(answer)).numpy()
    return score(answer.numpy(), truth, outputs, habit=habit, categories=categories)
