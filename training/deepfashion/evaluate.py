"""Evaluation of DeepFashion networks on a split of the benchmark.

Writes report.md, report.json and boxes.png.

Accuracy of attributes is useless: nearly all are absent, so that predicting none is 99 % right;
papers report the recall among the k likeliest.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from preprocessing.datasets.attribute_table import MISSING, Attribute
from preprocessing.datasets.deepfashion_benchmark import read_benchmark
from preprocessing.errors import DataError, UsageError
from preprocessing.images.contact_sheets import Mark, contact_sheet, marked_tile
from preprocessing.images.pictures import read_picture, write_image
from preprocessing.images.regions import box_iou
from training.common.metrics import AttributeScores, attribute_table, mean_f1, score_attributes
from training.common.runs import REPORT
from training.deepfashion.data import Baseline, Batch, FashionSubset, fit_baseline, split_rows
from training.deepfashion.network import BOX, LANDMARKS, FashionNetwork, Outputs, load_network
from training.deepfashion.settings import FashionEvaluateSettings
from training.inference import weights

TOP = (1, 3, 5)  # categories
RECALLS = (3, 5)  # attributes


Parts = Mapping[tuple[str, str], np.ndarray]


def predictions(network: FashionNetwork, subset: FashionSubset) -> list[Batch]:
    """Return batches of a network's rows float32 (n, outputs.size) with the labels."""
    network = network.eval()
    with torch.inference_mode():
        return [(network(images).float(), labels) for images, labels in subset.loader()]


@dataclass(frozen=True, eq=False)
class FashionScores:
    """Figures of one network on one subset, as fractions of 0 to 1.

    Attributes:
        box_iou: mean IoU of the boxes; baseline_iou: of the mean box of training.
        categories: fraction right among the 1, 3 and 5 likeliest.
        recalls: by type of attribute, and "all", among the 3 and 5 likeliest.
        groups: of attributes with one class each.
        landmark_error: mean distance, in fractions of the sides.
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
        """One number to choose an epoch by: the mean of those that were measured."""
        found = [self.box_iou]
        found += [self.categories[3]] if self.categories else []
        found += [self.recalls["all"][3]] if self.recalls else []
        found += [mean_f1(self.groups)] if self.groups else []
        return float(np.nanmean(found))

    def summary(self) -> dict[str, float | int]:
        """The single figures, ready for JSON and for a row of results.csv."""
        found: dict[str, float | int] = {
            "count": self.count, "box_iou": self.box_iou, "baseline_iou": self.baseline_iou,
        }  # fmt: skip
        found |= {f"category_top{k}": value for k, value in self.categories.items()}
        found |= {f"{name}_recall{k}": value for name, values in self.recalls.items()
                  for k, value in values.items()}  # fmt: skip
        for one in self.groups:
            found[f"{one.attribute.name}_f1"] = one.scores.macro_f1
            found[f"{one.attribute.name}_baseline_f1"] = one.baseline.macro_f1
        if np.isfinite(self.landmark_error):
            found["landmark_error"] = self.landmark_error
        return {k: round(v, 5) if isinstance(v, float) else v for k, v in found.items()}


def score_batches(
    batches: Iterable[Batch], outputs: Outputs, *, baseline: Baseline
) -> FashionScores:
    """Compare batches of predicted rows float32 (n, outputs.size) with their labels."""
    rows, labels = zip(*batches, strict=True)
    predicted = torch.cat(rows)
    truth = {name: np.concatenate([b[name].numpy() for b in labels]) for name in labels[0]}
    categories = None
    if outputs.branches:
        categories = outputs.category_probabilities(outputs.split(predicted)).numpy()
    return score(predicted.numpy(), truth, outputs, baseline=baseline, categories=categories)


def score(
    predicted: np.ndarray,
    truth: Mapping[str, np.ndarray],
    outputs: Outputs,
    *,
    baseline: Baseline,
    categories: np.ndarray | None = None,
) -> FashionScores:
    """Compare rows (N, outputs.size) with their labels.

    Args:
        categories: probabilities (N, C) of all branches' classes.
    """
    parts, boxes = outputs.split(predicted), truth["box"]
    known = np.isfinite(boxes).all(axis=1)
    top, groups = {}, []
    if categories is not None:
        named = truth["category"] != MISSING
        top = {k: top_k(categories[named], truth["category"][named], k) for k in TOP}
    if "values" in truth:
        logits = np.concatenate([parts["one", group.name] for group in outputs.groups], axis=1)
        groups = score_attributes(logits, truth["values"], outputs.groups, modes=baseline.modes)
    return FashionScores(
        count=len(predicted),
        box_iou=mean_iou(parts["box", BOX][known], boxes[known]),
        baseline_iou=mean_iou(np.broadcast_to(baseline.box, boxes[known].shape), boxes[known]),
        categories=top,
        recalls=recalls(parts, truth["has"], outputs.multi_label) if "has" in truth else {},
        groups=groups,
        landmark_error=landmark_error(parts, truth["landmarks"]),
    )


def top_k(scores: np.ndarray, labels: np.ndarray, k: int) -> float:
    """Fraction of pictures whose class (N,) is among the k likeliest of scores (N, C)."""
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return float((best == labels[:, None]).any(axis=1).mean())


def recall_at_k(scores: np.ndarray, has: np.ndarray, k: int) -> float:
    """Fraction of a picture's attributes that are among its k likeliest, as far as k reaches.

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


def mean_iou(boxes: np.ndarray, truth: np.ndarray) -> float:
    """Mean IoU of boxes with their own truth, both (N, 4)."""
    pairs = zip(boxes, truth, strict=True)
    return float(np.mean([box_iou(a[None], b[None])[0, 0] for a, b in pairs]))


def recalls(
    parts: Parts, has: np.ndarray, attributes: Sequence[Attribute]
) -> dict[str, dict[int, float]]:
    """Recall at k over all attributes, and among those of each type."""
    logits = [parts[one.kind, one.name] for one in attributes]
    whole = np.concatenate(logits, axis=1)
    found = {"all": {k: recall_at_k(whole, has, k) for k in RECALLS}}
    first = 0
    for one, own in zip(attributes, logits, strict=True):
        truth = has[:, first : first + len(one)]
        found[one.name] = {k: recall_at_k(own, truth, k) for k in RECALLS}
        first += len(one)
    return found


def landmark_error(parts: Parts, truth: np.ndarray) -> float:
    """Mean distance of the landmarks (N, 8, 2) that are there, in fractions of the sides."""
    if ("points", LANDMARKS) not in parts:
        return float("nan")
    there = np.isfinite(truth).all(axis=2)
    points = parts["points", LANDMARKS][:, : 2 * truth.shape[1]].reshape(truth.shape)
    return float(np.linalg.norm((points - truth)[there], axis=1).mean())


SHEET, SHEET_SIDE = 40, 200  # pictures on the sheet of boxes, and their side in pixels
TRUE_COLOUR, PREDICTED_COLOUR = (230, 140, 30), (30, 30, 230)  # BGR


def write_report(folder: Path, scores: FashionScores, *, title: str) -> str:
    """Write report.md and report.json into a folder, and return the text."""
    folder.mkdir(parents=True, exist_ok=True)
    text = as_markdown(scores, title)
    (folder / "report.md").write_text(text, encoding="utf-8")
    (folder / REPORT).write_text(json.dumps(scores.summary(), indent=1) + "\n")
    return text


def as_markdown(scores: FashionScores, title: str) -> str:
    """Return the scores as Markdown."""
    lines = [f"# {title}", "", f"{scores.count} pictures; mean box IoU {scores.box_iou:.3f} (of "
             f"training's mean box: {scores.baseline_iou:.3f})"]  # fmt: skip
    if scores.categories:
        lines.append("category right among the k likeliest: " + ", ".join(
            f"{k}: {fraction:.1%}" for k, fraction in scores.categories.items()))  # fmt: skip
    if scores.recalls:
        lines += ["", "| attributes | " + " | ".join(f"recall@{k}" for k in RECALLS) + " |",
                  "|---" * (1 + len(RECALLS)) + "|"]  # fmt: skip
        lines += [f"| {name} | " + " | ".join(f"{found[k]:.1%}" for k in RECALLS) + " |"
                  for name, found in scores.recalls.items()]  # fmt: skip
    if scores.groups:
        lines += ["", attribute_table(scores.groups)]
    if np.isfinite(scores.landmark_error):
        lines += ["", f"landmarks: mean distance {scores.landmark_error:.3f} of the sides"]
    return "\n".join(lines) + "\n"


def draw_boxes(path: Path, subset: FashionSubset, boxes: np.ndarray) -> None:
    """Write a sheet of a subset's first pictures with true (blue) and predicted (red) boxes.

    Args:
        boxes: float32 (N, 4), predicted, as fractions of the sides.
    """
    tiles = []
    for row, box in list(zip(subset.rows, boxes, strict=True))[:SHEET]:
        image = read_picture(subset.benchmark.paths[row])
        sides = np.tile(image.shape[1::-1], 2)
        marks = [Mark(subset.benchmark.boxes[row], TRUE_COLOUR, width=2),
                 Mark(box * sides, PREDICTED_COLOUR, width=2)]  # fmt: skip
        tiles.append(marked_tile(image, marks, side=SHEET_SIDE))
    write_image(path, contact_sheet(tiles, columns=8))


def evaluate(settings: FashionEvaluateSettings) -> str:
    """Evaluate a network on an official split, and return the text to print.

    Raises:
        DataError, UsageError, WeightsError: nothing there, or it does not fit the model.
    """
    stem, info = weights.locate(settings.model)
    weights.verified(stem.with_suffix(".onnx"))
    benchmark, data, split = read_benchmark(settings.data), settings.data, settings.split
    outputs = Outputs.of(benchmark)
    if outputs.parts != info.attributes:
        raise UsageError(f"{data} has other categories or attributes than {info.name}")
    training, chosen = (
        FashionSubset(benchmark, split_rows(benchmark, name), info.size)
        for name in ("training", split)
    )
    if not len(chosen):
        raise DataError(f"{data} has no pictures of the {split} split: give another --split")
    batches = predictions(load_network(stem, info), chosen)
    scores = score_batches(batches, outputs, baseline=fit_baseline(training))
    folder = settings.folder(info.name)
    text = write_report(folder, scores, title=f"{info.name} on the {split} split of {data}")
    return f"{text}\nwrote {folder}/report.md, report.json"
