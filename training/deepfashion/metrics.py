"""Figures that judge DeepFashion networks. Accuracy of attributes is no use: nearly all are absent,
so that saying none is 99 % right; recall among the k likeliest is what papers report."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from preprocessing.datasets.attribute_table import MISSING, Attribute
from preprocessing.images.regions import box_iou
from training.attributes.metrics import AttributeScores, judge, mean_f1, table
from training.deepfashion.outputs import BOX, LANDMARKS, Outputs

TOP = (1, 3, 5)  # categories
RECALLS = (3, 5)  # attributes


def top_k(scores: np.ndarray, labels: np.ndarray, k: int) -> float:
    """Share of pictures whose class (N,) is among the k likeliest of scores (N, C)."""
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return float((best == labels[:, None]).any(axis=1).mean())


def recall_at_k(scores: np.ndarray, has: np.ndarray, k: int) -> float:
    """Share of a picture's attributes that are among its k likeliest, as far as k reaches.

    The mean over pictures that have any of hits / min(k, attributes); nan where none has any.

    Args:
        scores: float (N, A); has: (N, A), 1 where a picture has an attribute.
    """
    positive = has == 1
    counts = positive.sum(axis=1)
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    hits = np.take_along_axis(positive, best, axis=1).sum(axis=1)
    some = counts > 0
    return float((hits[some] / np.minimum(k, counts[some])).mean()) if some.any() else float("nan")


@dataclass(frozen=True, eq=False)
class FashionScores:
    """Figures of one network on one part, as shares of 0 to 1.

    Attributes:
        box_iou: mean overlap of the boxes; baseline_iou: of the mean box of training.
        categories: share right among the 1, 3 and 5 likeliest.
        recalls: by type of attribute, and "all", among the 3 and 5 likeliest.
        groups: of attributes with one class each.
        landmark_error: mean distance, in shares of the sides.
    """

    count: int
    box_iou: float
    baseline_iou: float
    categories: dict[int, float] = field(default_factory=dict)
    recalls: dict[str, dict[int, float]] = field(default_factory=dict)
    groups: Sequence[AttributeScores] = ()
    landmark_error: float = float("nan")

    @property
    def score(self) -> float:
        """One number to choose an epoch by: the mean of what was measured."""
        found = [self.box_iou]
        found += [self.categories[3]] if self.categories else []
        found += [self.recalls["all"][3]] if self.recalls else []
        found += [mean_f1(self.groups)] if self.groups else []
        return float(np.nanmean(found))

    def summary(self) -> dict[str, float | int]:
        """Single figures, ready for JSON and for a row of results.csv."""
        found = {"count": self.count, "box_iou": self.box_iou, "baseline_iou": self.baseline_iou}
        found |= {f"category_top{k}": share for k, share in self.categories.items()}
        found |= {f"{kind}_recall{k}": share for kind, shares in self.recalls.items()
                  for k, share in shares.items()}  # fmt: skip
        for one in self.groups:
            found[f"{one.attribute.name}_f1"] = one.scores.macro_f1
            found[f"{one.attribute.name}_baseline_f1"] = one.baseline.macro_f1
        if np.isfinite(self.landmark_error):
            found["landmark_error"] = self.landmark_error
        return {k: round(v, 5) if isinstance(v, float) else v for k, v in found.items()}


@dataclass(frozen=True, eq=False)
class Habit:
    """What a baseline always answers, learnt from training: a box, and a class a group."""

    box: np.ndarray
    modes: np.ndarray


def score(
    answer: np.ndarray,
    truth: dict[str, np.ndarray],
    outputs: Outputs,
    *,
    habit: Habit,
    categories: np.ndarray | None = None,
) -> FashionScores:
    """Judge answers (N, outputs.size).

    Args:
        categories: probabilities (N, C) of all branches' classes.
    """
    parts = outputs.split(answer)
    boxes = truth["box"]
    known = np.isfinite(boxes).all(axis=1)
    found = {
        "box_iou": mean_iou(parts["box", BOX][known], boxes[known]),
        "baseline_iou": mean_iou(np.broadcast_to(habit.box, boxes[known].shape), boxes[known]),
    }
    if categories is not None:
        named = truth["category"] != MISSING
        found["categories"] = {
            k: top_k(categories[named], truth["category"][named], k) for k in TOP
        }
    if "has" in truth:
        found["recalls"] = recalls(parts, truth["has"], outputs.of_kind("several"))
    if "values" in truth:
        logits = np.concatenate([parts["one", group.name] for group in outputs.groups], axis=1)
        found["groups"] = judge(logits, truth["values"], outputs.groups, modes=habit.modes)
    if ("points", LANDMARKS) in parts:
        points = truth["landmarks"]
        there = np.isfinite(points).all(axis=2)
        answered = parts["points", LANDMARKS][:, : 2 * points.shape[1]].reshape(points.shape)
        found["landmark_error"] = float(np.linalg.norm((answered - points)[there], axis=1).mean())
    return FashionScores(len(answer), **found)


def mean_iou(boxes: np.ndarray, truth: np.ndarray) -> float:
    """Mean overlap of boxes with their own truth, both (N, 4)."""
    pairs = zip(boxes, truth, strict=True)
    return float(np.mean([box_iou(a[None], b[None])[0, 0] for a, b in pairs]))


def recalls(
    parts: dict, has: np.ndarray, attributes: Sequence[Attribute]
) -> dict[str, dict[int, float]]:
    """Recall at k over all attributes, and among those of each type."""
    logits = np.concatenate([parts["several", one.name] for one in attributes], axis=1)
    found = {"all": {k: recall_at_k(logits, has, k) for k in RECALLS}}
    first = 0
    for one in attributes:
        own = has[:, first : first + len(one)]
        found[one.name] = {k: recall_at_k(parts["several", one.name], own, k) for k in RECALLS}
        first += len(one)
    return found


def as_markdown(found: FashionScores, title: str) -> str:
    """The figures as Markdown."""
    lines = [f"# {title}", "", f"{found.count} pictures; mean box IoU {found.box_iou:.3f} (of "
             f"training's mean box: {found.baseline_iou:.3f})"]  # fmt: skip
    if found.categories:
        lines.append("category right among the k likeliest: " + ", ".join(
            f"{k}: {share:.1%}" for k, share in found.categories.items()))  # fmt: skip
    if found.recalls:
        lines += ["", "| attributes | " + " | ".join(f"recall@{k}" for k in RECALLS) + " |",
                  "|---" * (1 + len(RECALLS)) + "|"]  # fmt: skip
        lines += [f"| {kind} | " + " | ".join(f"{shares[k]:.1%}" for k in RECALLS) + " |"
                  for kind, shares in found.recalls.items()]  # fmt: skip
    if found.groups:
        lines += ["", table(found.groups, without={})]
    if np.isfinite(found.landmark_error):
        lines += ["", f"landmarks: mean distance {found.landmark_error:.3f} of the sides"]
    return "\n".join(lines) + "\n"
