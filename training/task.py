"""One training step of a classifier, in Lightning's form."""

from pathlib import Path

import torch
from lightning.pytorch import LightningModule
from torch import nn
from torch.nn import functional as F

from preprocessing.errors import UsageError
from training.augment import AUGMENTATIONS
from training.checkpoint import load_run
from training.models import MODELS
from training.recipes import Recipe
from training.schedules import SCHEDULES


class ClassifierTask(LightningModule):
    """A network with its loss, augmentation, optimiser and schedule."""

    def __init__(self, recipe: Recipe, *, classes: int):
        super().__init__()
        self.recipe = recipe
        build = MODELS[recipe.network]
        network = build(recipe.shape(classes), dropout=recipe.dropout)
        self.network = network.to(memory_format=torch.channels_last)
        self.augment = AUGMENTATIONS[recipe.augment]

    def start_from(self, run: Path) -> None:
        """Take the best weights of a finished run.

        Raises:
            UsageError: there is no such run, or it trained another network.
        """
        network, recipe, _ = load_run(run)
        if recipe.network != self.recipe.network:
            raise UsageError(f"{run} holds a {recipe.network!r}, not a {self.recipe.network!r}")
        self.network.load_state_dict(network.state_dict())

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.network(images)

    def on_train_epoch_start(self) -> None:
        recipe = self.recipe
        ending = self.current_epoch >= recipe.epochs - recipe.last_epochs
        self.augment = AUGMENTATIONS[recipe.last_augment if ending else recipe.augment]

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> torch.Tensor:
        images, labels = batch
        images = self.augment(images.float()).contiguous(memory_format=torch.channels_last)
        logits = self(images).float()
        loss = F.cross_entropy(logits, labels, label_smoothing=self.recipe.label_smoothing)
        accuracy = (logits.argmax(1) == labels).float().mean()
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(labels))
        self.log("train_acc", accuracy, on_step=False, on_epoch=True, batch_size=len(labels))
        return loss

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> None:
        images, labels = batch
        logits = self(images).float()
        accuracy = (logits.argmax(1) == labels).float().mean()
        self.log("val_loss", F.cross_entropy(logits, labels), batch_size=len(labels))
        self.log("val_acc", accuracy, prog_bar=True, batch_size=len(labels))

    def configure_optimizers(self) -> dict:
        decayed = [p for p in self.parameters() if p.ndim > 1]
        others = [p for p in self.parameters() if p.ndim <= 1]
        optimizer = torch.optim.SGD(
            [
                {"params": decayed, "weight_decay": self.recipe.weight_decay},
                {"params": others, "weight_decay": 0.0},
            ],
            lr=self.recipe.lr,
            momentum=self.recipe.momentum,
            nesterov=self.recipe.momentum > 0,
        )
        schedule = SCHEDULES[self.recipe.schedule]
        steps = int(self.trainer.estimated_stepping_batches)
        return {
            "optimizer": optimizer,
            "lr_scheduler": schedule(optimizer, epochs=self.recipe.epochs, steps=steps),
        }


def predict(
    network: nn.Module, loader, *, device: str = "cpu"
) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits float32 (N, classes) and labels int64 (N,) of a whole loader, on the CPU."""
    network = network.to(device).eval()
    logits, labels = [], []
    with torch.inference_mode():
        for images, batch_labels in loader:
            logits.append(network(images.to(device)).float().cpu())
            labels.append(batch_labels)
    return torch.cat(logits), torch.cat(labels)
