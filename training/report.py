"""Tables and pictures of a training run or an evaluation, written into one folder."""

import csv
from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # files only: never needs a display

import matplotlib.pyplot as plt
import numpy as np

from preprocessing.contact_sheet import contact_sheet, write_image
from training.metrics import Scores


def class_table(scores: Scores, classes: Sequence[str]) -> str:
    """Precision, recall, F1 and support of each class as fixed-width text."""
    lines = [f"{'class':14s} precision  recall      f1  images"]
    counts = scores.confusion.sum(axis=1)
    for row in zip(classes, scores.precision, scores.recall, scores.f1, counts, strict=True):
        if row[-1]:
            lines.append("{:14s} {:9.4f} {:7.4f} {:7.4f} {:7d}".format(*row))
    low, high = scores.interval
    lines.append(
        f"accuracy {scores.accuracy:.2%} (95 % interval {low:.2%} to {high:.2%}, "
        f"n = {scores.count}), balanced accuracy {scores.balanced_accuracy:.2%}, "
        f"macro-F1 {scores.macro_f1:.4f}, "
        f"expected calibration error {scores.ece:.2%}"
    )
    return "\n".join(lines)


def plot_confusion(path: Path, scores: Scores, classes: Sequence[str]) -> None:
    """The confusion matrix, each row as shares of its true class."""
    shares = scores.confusion / np.maximum(1, scores.confusion.sum(axis=1, keepdims=True))
    figure, axes = plt.subplots(figsize=(8, 7), layout="constrained")
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    ticks = range(len(classes))
    axes.set_xticks(ticks, classes, rotation=45, ha="right")
    axes.set_yticks(ticks, classes)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(f"accuracy {scores.accuracy:.2%}, n = {scores.count}")
    for row, column in np.argwhere(scores.confusion):
        colour = "white" if shares[row, column] > 0.5 else "black"
        axes.text(
            column,
            row,
            scores.confusion[row, column],
            ha="center",
            va="center",
            color=colour,
            fontsize=8,
        )
    _save(figure, path)


def read_metrics(path: Path) -> list[dict[str, str]]:
    """The rows of a run's metrics.csv, one an epoch."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def plot_curves(path: Path, rows: Sequence[dict[str, str]]) -> None:
    """Loss and accuracy of training and validation over the epochs of `read_metrics`."""
    figure, panels = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for axes, quantity, title in zip(panels, ("loss", "acc"), ("loss", "accuracy"), strict=True):
        for part, label in (("train", "training"), ("val", "validation")):
            key = f"{part}_{quantity}"
            points = [(int(r["epoch"]) + 1, float(r[key])) for r in rows if r.get(key)]
            if points:
                axes.plot(*zip(*points, strict=True), marker=".", label=label)
        axes.set_xlabel("epoch")
        axes.set_title(title)
        axes.grid(alpha=0.3)
        axes.legend()
    panels[0].set_yscale("log")
    _save(figure, path)


def write_mistakes(
    path: Path,
    images: np.ndarray,
    *,
    labels: np.ndarray,
    probabilities: np.ndarray,
    classes: Sequence[str],
    count: int = 96,
) -> None:
    """The most confidently wrong images (N, H, W), captioned "true > predicted, confidence"."""
    predicted = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    worst = wrong[np.argsort(-confidence[wrong])][:count]
    if not len(worst):
        return
    captions = [
        f"{classes[labels[i]][:7]}>{classes[predicted[i]][:7]} {confidence[i]:.2f}" for i in worst
    ]
    write_image(path, contact_sheet(images[worst], columns=12, captions=captions, scale=4))


def plot_classes(path: Path, counts: dict[str, list[int]], splits: Sequence[str]) -> None:
    """A stacked bar of pictures a class, `counts` in the order of `splits`."""
    figure, axes = plt.subplots(figsize=(8, 1 + 0.3 * len(counts)), layout="constrained")
    left = np.zeros(len(counts))
    for index, split in enumerate(splits):
        widths = np.array([row[index] for row in counts.values()])
        axes.barh(list(counts), widths, left=left, label=split)
        left += widths
    axes.invert_yaxis()
    axes.set_xlabel("pictures")
    axes.legend()
    _save(figure, path)


def _save(figure: plt.Figure, path: Path) -> None:
    figure.savefig(path, dpi=110)
    plt.close(figure)
