"""Training step of a parser, as a Lightning module."""

import numpy as np
import torch
from torch.nn import functional as F

from preprocessing.images.class_maps import CLASSES, FIRST, UNKNOWN_PIXEL, overlaps, pixel_pairs
from training.common.module import NetworkModule
from training.models.backbones import load_pretrained
from training.parsing.network import Parser
from training.parsing.recipes import ParserRecipe
from training.parsing.views import RandomViews


class ParserModule(NetworkModule):
    """A parser with its losses; `val_iou` is the mean IoU of garments.

    Args:
        views: of training, which are others in every epoch.
        class_weights: float32 (classes,), of the pixels' loss.
    """

    recipe: ParserRecipe
    class_weights: torch.Tensor

    def __init__(self, recipe: ParserRecipe, views: RandomViews, *, class_weights: torch.Tensor):
        network = Parser(len(CLASSES), recipe.size)
        load_pretrained(network, "efficientnet-lite0", "imagenet")
        if recipe.frozen_blocks:
            network.freeze(recipe.frozen_blocks)
        super().__init__(network, recipe)
        self._views = views
        self.register_buffer("class_weights", class_weights, persistent=False)
        self._confusion = np.zeros((len(CLASSES), len(CLASSES)), np.int64)

    def on_train_epoch_start(self) -> None:
        self._views.epoch[0] = self.current_epoch

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> torch.Tensor:
        images, classes = batch
        images = images.float().contiguous(memory_format=torch.channels_last)
        logits, target = _at_half_size(self(images).float(), classes)
        loss = self._loss(logits, target)
        known = target != UNKNOWN_PIXEL
        accuracy = (logits.argmax(1) == target)[known].float().mean()
        self.log_dict({"train_loss": loss, "train_acc": accuracy}, on_step=False, on_epoch=True)
        return loss

    def _loss(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        pixels = F.cross_entropy(logits, target, self.class_weights, ignore_index=UNKNOWN_PIXEL)
        return pixels + self.recipe.dice_weight * dice_loss(logits, target)

    def on_validation_epoch_start(self) -> None:
        self._confusion[:] = 0

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> None:
        images, classes = batch
        logits = self(images).float()
        loss = self._loss(*_at_half_size(logits, classes))
        scaled = F.interpolate(logits, classes.shape[1:], mode="bilinear")
        self._confusion += pixel_pairs(classes.cpu().numpy(), scaled.argmax(1).cpu().numpy())
        self.log("val_loss", loss, on_epoch=True)

    def on_validation_epoch_end(self) -> None:
        self.log("val_iou", float(np.nanmean(overlaps(self._confusion)[FIRST:])))


def _at_half_size(logits: torch.Tensor, classes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Both at half of the input's resolution: twice that of the logits, a quarter of all pixels."""
    doubled = F.interpolate(logits, scale_factor=2.0, mode="bilinear")
    return doubled, classes[:, ::2, ::2].long()


def dice_loss(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """One minus the soft Dice overlap (Milletari et al. 2016), mean over a batch's classes.

    Args:
        logits: float32 (N, classes, H, W).
        target: classes int64 (N, H, W), or UNKNOWN_PIXEL.
    """
    known = (target != UNKNOWN_PIXEL)[:, None]
    predicted = logits.softmax(dim=1) * known
    true = F.one_hot(target.where(known[:, 0], 0), logits.shape[1]).movedim(-1, 1) * known
    both, each = (predicted * true).sum((0, 2, 3)), (predicted + true).sum((0, 2, 3))
    present = true.sum((0, 2, 3)) > 0
    return (1 - 2 * both[present] / each[present]).mean()


def pixel_class_weights(counts: torch.Tensor) -> torch.Tensor:
    """Weights of the pixels' loss, mean 1: fourth roots of the inverse class frequencies."""
    weights = (counts.sum() / counts.clamp(min=1)).double() ** 0.25
    return (weights / weights.mean()).float()
