"""The losses of a DeepFashion network, each over what is known of a batch."""

from collections.abc import Mapping, Sequence

import torch
from torch.nn import functional as F
from torchvision.ops import generalized_box_iou_loss

from preprocessing.datasets.attribute_table import MISSING
from training.deepfashion.outputs import BOX, BRANCH, LANDMARKS, TYPE, Outputs
from training.deepfashion.recipes import FashionRecipe

POINT_SCALE = 10.0  # coordinates are shares of a side: their errors are small beside the others


def losses(
    answer: torch.Tensor,
    truth: Mapping[str, torch.Tensor],
    outputs: Outputs,
    recipe: FashionRecipe,
    *,
    positive_weights: torch.Tensor | None = None,
    group_weights: Sequence[torch.Tensor] = (),
) -> dict[str, torch.Tensor]:
    """Losses by name, already weighed, of answers (N, outputs.size).

    Args:
        positive_weights: float32 (A,), of attributes' positives; group_weights: float32 (classes,)
            a group; none for one each.
    """
    parts = outputs.split(answer)
    found = {"box": recipe.box_weight * box_loss(parts["box", BOX], truth["box"], recipe.box_loss)}
    if "category" in truth:
        found["category"] = recipe.category_weight * category_loss(
            parts, truth["category"], outputs
        )
    if "has" in truth:
        logits = torch.cat([parts["several", a.name] for a in outputs.of_kind("several")], dim=1)
        found["attributes"] = recipe.attribute_weight * attribute_loss(
            logits, truth["has"], recipe, positive_weights=positive_weights
        )
    if "values" in truth:
        found["groups"] = recipe.attribute_weight * torch.stack([
            _mean_cross_entropy(parts["one", group.name], column, weight)
            for group, column, weight in zip(
                outputs.groups, truth["values"].T,
                group_weights or [None] * len(outputs.groups), strict=True,
            )
        ]).mean()  # fmt: skip
    if ("points", LANDMARKS) in parts:
        found["landmarks"] = recipe.landmark_weight * landmark_loss(
            parts["points", LANDMARKS], truth["landmarks"]
        )
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
    """Of the type of garment, and of the category in that type's branch alone."""
    first, kinds = 0, torch.full_like(category, MISSING)
    total = parts["one", TYPE].sum() * 0
    known = (category != MISSING).sum().clamp(min=1)
    for number, branch in enumerate(outputs.of_kind(BRANCH)):
        own = (category >= first) & (category < first + len(branch))
        kinds[own] = number
        if own.any():
            logits = parts[BRANCH, branch.name][own]
            total = total + F.cross_entropy(logits, category[own] - first, reduction="sum") / known
        first += len(branch)
    return total + _mean_cross_entropy(parts["one", TYPE], kinds)


def attribute_loss(
    logits: torch.Tensor,
    has: torch.Tensor,
    recipe: FashionRecipe,
    *,
    positive_weights: torch.Tensor | None = None,
) -> torch.Tensor:
    """Of each picture's attributes (N, A), 1 or 0 or MISSING; summed or averaged over them."""
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


def landmark_loss(answer: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """L1 of the landmarks (N, 8, 2) that are there, and whether each is; unknown are all nan."""
    count = truth.shape[1]
    points, present = answer[:, : 2 * count].view_as(truth), answer[:, 2 * count :]
    there = truth.isfinite().all(dim=2)
    labelled = there.any(dim=1)
    if not labelled.any():
        return answer.sum() * 0
    presence = F.binary_cross_entropy_with_logits(present[labelled], there[labelled].float())
    return presence + POINT_SCALE * F.l1_loss(points[there], truth[there])


def _mean_cross_entropy(
    logits: torch.Tensor, truth: torch.Tensor, weight: torch.Tensor | None = None
) -> torch.Tensor:
    weight = None if weight is None else weight.to(logits.device)
    total = F.cross_entropy(logits, truth, weight, ignore_index=MISSING, reduction="sum")
    return total / (truth != MISSING).sum().clamp(min=1)
