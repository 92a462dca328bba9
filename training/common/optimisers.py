"""Optimisers, their parameter groups, and the frozen backbone."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from training.common.recipe import LightningRecipe

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
