"""One training step of a parser, in Lightning's form."""

import numpy as np
import torch
from lightning.pytorch import LightningModule
from torch.nn import functional as F

from preprocessing.images.class_maps import CLASSES, FIRST, UNKNOWN_PIXEL, overlaps, pixel_pairs
from training.common.optimisers import optimizers
from training.models.backbones import load_pretrained
from training.parsing.network import Parser
from training.parsing.recipes import ParserRecipe


class ParserTask(LightningModule):
    """The network with its loss, optimiser and schedule; `val_iou` is the mean over garments."""

    def __init__(self, recipe: ParserRecipe, class_weights: torch.Tensor):
        super().__init__()
        self.recipe = recipe
        network = Parser(len(CLASSES), recipe.size)
        load_pretrained(network, "efficientnet-lite0", "imagenet")
        if recipe.frozen_blocks:
            network.freeze(recipe.frozen_blocks)
        self.network = network.to(memory_format=torch.channels_last)
        self.register_buffer("class_weights", class_weights, persistent=False)
        self._pixels = np.zeros((len(CLASSES), len(CLASSES)), np.int64)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.network(images)

    def on_train_epoch_start(self) -> None:
        self.trainer.train_dataloader.dataset.epoch[0] = self.current_epoch

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> torch.Tensor:
        images, classes = batch
        images = images.float().contiguous(memory_format=torch.channels_last)
        logits = self(images).float()
        logits, target = _at_half_size(logits, classes)
        loss = self._loss(logits, target)
        known = target != UNKNOWN_PIXEL
        accuracy = (logits.argmax(1) == target)[known].float().mean()
        self.log_dict({"train_loss": loss, "train_acc": accuracy}, on_step=False, on_epoch=True)
        return loss

    def _loss(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        pixels = F.cross_entropy(logits, target, self.class_weights, ignore_index=UNKNOWN_PIXEL)
        return pixels + self.recipe.dice * dice_loss(logits, target)

    def on_validation_epoch_start(self) -> None:
        self._pixels[:] = 0

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> None:
        images, classes = batch
        logits = self(images).float()
        loss = self._loss(*_at_half_size(logits, classes))
        scaled = F.interpolate(logits, classes.shape[1:], mode="bilinear")
        self._pixels += pixel_pairs(classes.cpu().numpy(), scaled.argmax(1).cpu().numpy())
        self.log("val_loss", loss, on_epoch=True)

    def on_validation_epoch_end(self) -> None:
        self.log("val_iou", float(np.nanmean(overlaps(self._pixels)[FIRST:])))

    def configure_optimizers(self) -> dict:
        return optimizers(self, self.network, self.recipe)


def _at_half_size(logits: torch.Tensor, classes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Both at twice the network's grid: finer than it answers, coarser than all pixels cost."""
    doubled = F.interpolate(logits, scale_factor=2.0, mode="bilinear")
    return doubled, classes[:, ::2, ::2].long()


def dice_loss(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """One minus the soft overlap (Milletari et al. 2016), the mean over the classes of a batch.

    Args:
        logits: float32 (N, classes, H, W); target: classes int64 (N, H, W), or UNKNOWN_PIXEL.
    """
    known = (target != UNKNOWN_PIXEL)[:, None]
    said = logits.softmax(dim=1) * known
    true = F.one_hot(target.where(known[:, 0], 0), logits.shape[1]).movedim(-1, 1) * known
    both, each = (said * true).sum((0, 2, 3)), (said + true).sum((0, 2, 3))
    present = true.sum((0, 2, 3)) > 0
    return (1 - 2 * both[present] / each[present]).mean()


def class_weights(counts: torch.Tensor) -> torch.Tensor:
    """Weights of the loss, mean 1, that give rare classes' pixels more say (fourth root)."""
    weights = (counts.sum() / counts.clamp(min=1)).double() ** 0.25
    return (weights / weights.mean()).float()
