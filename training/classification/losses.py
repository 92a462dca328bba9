"""Losses of classifiers: cross-entropy, and distillation from a teacher."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F


def distilled(
    loss: torch.Tensor,
    logits: torch.Tensor,
    images: torch.Tensor,
    *,
    teachers: Sequence[nn.Module],
    fraction: float,
) -> torch.Tensor:
    """A loss, of which `fraction` is the cross-entropy to the teachers' probabilities instead.

    Hinton et al. 2015, arXiv 1503.02531, at temperature 1.

    Args:
        logits: float32 (N, classes); images: as the teachers take them.
    """
    for teacher in teachers:
        with torch.no_grad():
            predicted = teacher(images).float().softmax(1)
        loss = (1 - fraction) * loss + fraction * F.cross_entropy(logits, predicted)
    return loss


def cross_entropy(
    logits: torch.Tensor,
    targets: torch.Tensor,
    *,
    class_weights: torch.Tensor | None,
    label_smoothing: float,
) -> torch.Tensor:
    """Cross-entropy of logits float32 (N, classes) to labels int64 (N,) or probabilities."""
    weight = None if class_weights is None else class_weights.to(logits.device)
    return F.cross_entropy(logits, targets, weight=weight, label_smoothing=label_smoothing)
