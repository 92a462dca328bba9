"""The Lightning module that all tasks extend, with optimisers and learning-rate schedules."""

from collections.abc import Callable
from typing import Any

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.utilities.types import LRSchedulerConfigType, OptimizerLRSchedulerConfig
from torch import nn
from torch.optim import Optimizer
from torch.optim import lr_scheduler as schedulers

from training.common.settings import LightningRecipe

Groups = list[dict[str, Any]]
OPTIMIZERS: dict[str, Callable[[Groups, LightningRecipe], Optimizer]] = {
    "sgd": lambda groups, recipe: torch.optim.SGD(
        groups, lr=recipe.lr, momentum=recipe.momentum, nesterov=recipe.momentum > 0
    ),
    "adamw": lambda groups, recipe: torch.optim.AdamW(groups, lr=recipe.lr),
}


def parameter_groups(network: nn.Module, recipe: LightningRecipe) -> Groups:
    """Parameters by learning rate and by weight decay, which biases and norms have none of."""
    backbone = getattr(network, "backbone", None) if recipe.backbone_lr else None
    slow = set(backbone.parameters()) if backbone else set()
    groups = []
    for rate, members in (
        (recipe.lr, [p for p in network.parameters() if p not in slow]),
        (recipe.backbone_lr, [p for p in network.parameters() if p in slow]),
    ):
        for decay, chosen in (
            (recipe.weight_decay, [p for p in members if p.ndim > 1]),
            (0.0, [p for p in members if p.ndim <= 1]),
        ):
            if chosen:
                groups.append({"params": chosen, "lr": rate, "weight_decay": decay})
    return groups


def freeze(backbone: nn.Module, recipe: LightningRecipe, *, epoch: int) -> None:
    """Train a backbone, or freeze it and its batch norms' statistics, as the recipe has it."""
    if recipe.frozen_epochs:
        training = epoch >= recipe.frozen_epochs
        backbone.requires_grad_(training)
        backbone.train(training)


WARM_UP = 0.15  # fraction of the steps in which onecycle rises


def plateau(optimizer: Optimizer, *, epochs: int, steps: int) -> LRSchedulerConfigType:
    """Divide by 5 after 3 epochs without a better validation loss."""
    scheduler = schedulers.ReduceLROnPlateau(optimizer, factor=0.2, patience=3)
    return {"scheduler": scheduler, "interval": "epoch", "monitor": "val_loss"}


def onecycle(optimizer: Optimizer, *, epochs: int, steps: int) -> LRSchedulerConfigType:
    """Up, then down to nearly nothing, stepped every batch (Smith 2018, arXiv 1708.07120)."""
    highest = [group["lr"] for group in optimizer.param_groups]
    scheduler = schedulers.OneCycleLR(
        optimizer, highest, total_steps=steps, pct_start=WARM_UP, cycle_momentum=False
    )
    return {"scheduler": scheduler, "interval": "step"}


def cosine(optimizer: Optimizer, *, epochs: int, steps: int) -> LRSchedulerConfigType:
    """Half a cosine from the full rate to zero, stepped every batch."""
    return {"scheduler": schedulers.CosineAnnealingLR(optimizer, steps), "interval": "step"}


def step(optimizer: Optimizer, *, epochs: int, steps: int) -> LRSchedulerConfigType:
    """Divide by 10 after half and after three quarters of the epochs."""
    milestones = [max(1, epochs // 2), max(2, 3 * epochs // 4)]
    return {"scheduler": schedulers.MultiStepLR(optimizer, milestones), "interval": "epoch"}


SCHEDULES = {"plateau": plateau, "onecycle": onecycle, "cosine": cosine, "step": step}


class NetworkModule(LightningModule):
    """A network with its recipe; a task adds its steps."""

    def __init__(self, network: nn.Module, recipe: LightningRecipe):
        super().__init__()
        self.recipe = recipe
        self.network = network.to(memory_format=torch.channels_last)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.network(images)

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        recipe = self.recipe
        optimizer = OPTIMIZERS[recipe.optimizer](parameter_groups(self.network, recipe), recipe)
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = SCHEDULES[recipe.schedule](optimizer, epochs=recipe.epochs, steps=steps)
        return {"optimizer": optimizer, "lr_scheduler": schedule}
