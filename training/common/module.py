"""The part of a Lightning module that all tasks have: the network, its recipe, the optimiser."""

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import nn

from training.common.optimisers import OPTIMIZERS, parameter_groups
from training.common.recipe import LightningRecipe
from training.common.schedules import SCHEDULES


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
