"""What all tasks' training shares: parameter groups, optimiser, schedule, a frozen backbone."""

from collections.abc import Iterator
from typing import Protocol

import torch
from lightning.pytorch import LightningModule
from torch import nn

from training.common.schedules import SCHEDULES

OPTIMIZERS = {
    "sgd": lambda groups, recipe: torch.optim.SGD(
        groups, lr=recipe.lr, momentum=recipe.momentum, nesterov=recipe.momentum > 0
    ),
    "adamw": lambda groups, recipe: torch.optim.AdamW(groups, lr=recipe.lr),
}


class Steps(Protocol):
    """What a recipe says of the steps; SGD also takes `momentum`."""

    epochs: int
    lr: float
    backbone_lr: float  # 0 for that of the head
    optimizer: str
    schedule: str
    weight_decay: float
    frozen_epochs: int


def optimizers(task: LightningModule, network: nn.Module, recipe: Steps) -> dict:
    """What Lightning's `configure_optimizers` returns."""
    optimizer = OPTIMIZERS[recipe.optimizer](list(_groups(network, recipe)), recipe)
    steps = int(task.trainer.estimated_stepping_batches)
    schedule = SCHEDULES[recipe.schedule](optimizer, epochs=recipe.epochs, steps=steps)
    return {"optimizer": optimizer, "lr_scheduler": schedule}


def _groups(network: nn.Module, recipe: Steps) -> Iterator[dict]:
    """Parameters by learning rate and by weight decay, which biases and norms have none of."""
    backbone = getattr(network, "backbone", None) if recipe.backbone_lr else None
    slow = set(backbone.parameters()) if backbone else set()
    for rate, members in (
        (recipe.lr, [p for p in network.parameters() if p not in slow]),
        (recipe.backbone_lr, [p for p in network.parameters() if p in slow]),
    ):
        for decay, chosen in (
            (recipe.weight_decay, [p for p in members if p.ndim > 1]),
            (0.0, [p for p in members if p.ndim <= 1]),
        ):
            if chosen:
                yield {"params": chosen, "lr": rate, "weight_decay": decay}


def freeze(network: nn.Module, recipe: Steps, *, epoch: int) -> None:
    """Let the backbone learn, or keep it and its batch norms' statistics, as the recipe says."""
    if recipe.frozen_epochs:
        learns = epoch >= recipe.frozen_epochs
        network.backbone.requires_grad_(learns)
        network.backbone.train(learns)
