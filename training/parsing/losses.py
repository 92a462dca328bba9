"""Losses of parsers, and the weights of their classes."""

from collections.abc import Iterator

import torch
from torch.nn import functional as F

from preprocessing.images.class_maps import UNKNOWN_PIXEL
from training.parsing.network import OUTPUTS
from training.parsing.views import Batch


def at_half_size(logits: torch.Tensor, classes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
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


def imitation_loss(logits: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    """Divergence from a teacher's probabilities (Hinton et al. 2015), mean over the cells.

    Args:
        logits, teacher: logits float32 (N, classes, H, W).
    """
    target, answer = teacher.softmax(dim=1), logits.log_softmax(dim=1)
    return F.kl_div(answer, target, reduction="none").sum(dim=1).mean()


def pixel_class_weights(counts: torch.Tensor) -> torch.Tensor:
    """Weights of the pixels' loss, mean 1: fourth roots of the inverse class frequencies."""
    weights = (counts.sum() / counts.clamp(min=1)).double() ** 0.25
    return (weights / weights.mean()).float()


def count_pixels(batches: Iterator[Batch]) -> torch.Tensor:
    """How many pixels of some batches have each class, int64 (OUTPUTS,)."""
    counts = torch.zeros(256, dtype=torch.int64)
    for _, classes in batches:
        counts += torch.bincount(classes.flatten().long(), minlength=256)
    return counts[:OUTPUTS]
