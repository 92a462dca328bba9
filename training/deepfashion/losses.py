"""Losses of a DeepFashion network, each over the labels of a batch that are known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F
from torchvision.ops import generalized_box_iou_loss

from preprocessing.datasets.attribute_table import MISSING
from training.deepfashion.data import FashionSubset, Labels
from training.deepfashion.network import BOX, BRANCH, LANDMARKS, TYPE, Outputs
from training.deepfashion.settings import FashionRecipe

POINT_SCALE = 10.0  # coordinates are fractions of a side: their errors are small beside the others
MAX_WEIGHT = 50.0  # of an attribute's positives, or of a class of a group
CHUNK = 4096  # pictures whose bits are unpacked at a time


@dataclass(frozen=True, eq=False)
class LossWeights:
    """Weights of rare labels; None for equal ones.

    Attributes:
        positives: float32 (A,), of the multi-label attributes where present.
        groups: float32 (classes,) a group.
    """

    positives: torch.Tensor | None = None
    groups: Sequence[torch.Tensor] | None = None


def rarity_weights(training: FashionSubset, recipe: FashionRecipe) -> LossWeights:
    """Return the weights of rare attributes and classes; see `FashionRecipe.positive_weight`."""
    if not recipe.positive_weight:
        return LossWeights()
    benchmark, positives, groups = training.benchmark, None, None
    if benchmark.bits is not None:
        counts = np.zeros(benchmark.bits.count, np.int64)
        for rows in np.array_split(training.rows, max(1, len(training) // CHUNK)):
            packed = benchmark.bits.positive[rows]
            has = np.unpackbits(packed, axis=1, count=benchmark.bits.count)
            counts += has.sum(axis=0, dtype=np.int64)
        positives = _weights(len(training) - counts, counts, recipe)
    if benchmark.values is not None:
        columns = zip(benchmark.groups, benchmark.values[training.rows].T, strict=True)
        of_groups = [np.bincount(c[c != MISSING], minlength=len(g)) for g, c in columns]
        groups = [_weights(counts.mean(), counts, recipe) for counts in of_groups]
    return LossWeights(positives, groups)


def _weights(
    others: np.ndarray | np.floating, counts: np.ndarray, recipe: FashionRecipe
) -> torch.Tensor:
    """Weights float32: ratios of the other counts to these, to the recipe's power."""
    weights = (others / np.maximum(counts, 1)) ** recipe.positive_weight
    return torch.from_numpy(np.clip(weights, 1 / MAX_WEIGHT, MAX_WEIGHT).astype(np.float32))


def losses(
    predicted: torch.Tensor,
    labels: Labels,
    outputs: Outputs,
    recipe: FashionRecipe,
    *,
    weights: LossWeights,
) -> dict[str, torch.Tensor]:
    """Return the weighted losses by name of rows float32 (N, outputs.size)."""
    parts = outputs.split(predicted)
    found = {"box": recipe.box_weight * box_loss(parts["box", BOX], labels["box"], recipe.box_loss)}
    if "category" in labels:
        loss = category_loss(parts, labels["category"], outputs)
        found["category"] = recipe.category_weight * loss
    if "has" in labels:
        logits = torch.cat([parts[one.kind, one.name] for one in outputs.multi_label], dim=1)
        loss = attribute_loss(logits, labels["has"], recipe, positive_weights=weights.positives)
        found["attributes"] = recipe.attribute_weight * loss
    if "values" in labels:
        loss = group_loss(parts, labels["values"], outputs, weights=weights.groups)
        found["groups"] = recipe.attribute_weight * loss
    if ("points", LANDMARKS) in parts:
        loss = landmark_loss(parts["points", LANDMARKS], labels["landmarks"])
        found["landmarks"] = recipe.landmark_weight * loss
    return found


def box_loss(boxes: torch.Tensor, truth: torch.Tensor, kind: str) -> torch.Tensor:
    """GIoU (Rezatofighi et al. 2019, arXiv 1902.09630) or L1 of boxes (N, 4); nan is unknown."""
    known = truth.isfinite().all(dim=1)
    if not known.any():
        return boxes.sum() * 0
    if kind == "l1":
        return F.l1_loss(boxes[known], truth[known])
    return generalized_box_iou_loss(boxes[known], truth[known], reduction="mean")


def category_loss(
    parts: Mapping[tuple[str, str], torch.Tensor], category: torch.Tensor, outputs: Outputs
) -> torch.Tensor:
    """Cross-entropy of the type of garment, and of the category in that type's branch alone."""
    first, types = 0, torch.full_like(category, MISSING)
    total = parts["one", TYPE].sum() * 0
    known = (category != MISSING).sum().clamp(min=1)
    for number, branch in enumerate(outputs.branches):
        own = (category >= first) & (category < first + len(branch))
        types[own] = number
        if own.any():
            logits = parts[BRANCH, branch.name][own]
            total = total + F.cross_entropy(logits, category[own] - first, reduction="sum") / known
        first += len(branch)
    return total + _mean_cross_entropy(parts["one", TYPE], types)


def attribute_loss(
    logits: torch.Tensor,
    has: torch.Tensor,
    recipe: FashionRecipe,
    *,
    positive_weights: torch.Tensor | None = None,
) -> torch.Tensor:
    """Loss of each picture's attributes (N, A), 1, 0 or MISSING; their sum or mean a picture."""
    known, positive = has != MISSING, has == 1
    if recipe.attribute_loss == "hinge":
        each = F.relu(1 - torch.where(positive, logits, -logits))
    else:
        each = F.binary_cross_entropy_with_logits(logits, positive.float(), reduction="none")
    if positive_weights is not None:
        each = torch.where(positive, each * positive_weights.to(each.device), each)
    each = torch.where(known, each, 0)
    summed = each.sum(dim=1)
    if recipe.reduction == "mean":
        summed = summed / known.sum(dim=1).clamp(min=1)
    return summed.mean()


def group_loss(
    parts: Mapping[tuple[str, str], torch.Tensor],
    values: torch.Tensor,
    outputs: Outputs,
    *,
    weights: Sequence[torch.Tensor] | None,
) -> torch.Tensor:
    """Mean cross-entropy over the groups of classes (N, groups)."""
    found = []
    for number, group in enumerate(outputs.groups):
        weight = None if weights is None else weights[number]
        logits = parts["one", group.name]
        found.append(_mean_cross_entropy(logits, values[:, number], weight))
    return torch.stack(found).mean()


def landmark_loss(predicted: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """L1 of the landmarks (N, 8, 2) that are there, and presence of each; nan where absent.

    A picture whose landmarks are all nan has no labels.
    """
    count = truth.shape[1]
    points, present = predicted[:, : 2 * count].view_as(truth), predicted[:, 2 * count :]
    there = truth.isfinite().all(dim=2)
    labelled = there.any(dim=1)
    if not labelled.any():
        return predicted.sum() * 0
    presence = F.binary_cross_entropy_with_logits(present[labelled], there[labelled].float())
    return presence + POINT_SCALE * F.l1_loss(points[there], truth[there])


def _mean_cross_entropy(
    logits: torch.Tensor, truth: torch.Tensor, weight: torch.Tensor | None = None
) -> torch.Tensor:
    weight = None if weight is None else weight.to(logits.device)
    total = F.cross_entropy(logits, truth, weight, ignore_index=MISSING, reduction="sum")
    return total / (truth != MISSING).sum().clamp(min=1)
