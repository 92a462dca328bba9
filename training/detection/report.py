"""Report of a detector's scores: report.md, report.json, precision_recall.png and boxes.png."""

import json
from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # files only: never needs a display

import matplotlib.pyplot as plt
import numpy as np

from preprocessing.images.contact_sheet import Mark, contact_sheet, marked_tile
from preprocessing.images.pictures import read_picture, write_image
from training.common.reports import save_figure
from training.common.runs import REPORT
from training.detection.metrics import DetectionScores
from training.detection.predictions import ImagePrediction

SHEET = 32  # images on the contact sheet
SIDE = 224  # pixels of a tile
TRUE_COLOUR, DETECTED_COLOUR = (0, 200, 0), (0, 80, 255)  # BGR


def score_table(scores: DetectionScores, names: Sequence[str]) -> str:
    """Return the average precision of each class and over all as fixed-width text."""
    lines = [f"{'class':14s}  mAP50  mAP50-95"]
    for name, (half, mean) in zip(names, scores.per_class, strict=True):
        if not np.isnan(half):
            lines.append(f"{name:14s} {half:6.3f}    {mean:6.3f}")
    lines.append(
        f"{'all':14s} {scores.map50:6.3f}    {scores.map50_95:6.3f}   ({scores.images} images, "
        f"{scores.objects} objects; best F1 {scores.f1:.3f} at {scores.confidence:.2f})"
    )
    if scores.empty:
        lines.append(
            f"false box in {scores.false_frames:.2%} of {scores.empty} images without an object, "
            f"at threshold {scores.threshold:.2f}"
        )
    return "\n".join(lines)


def write_report(
    folder: Path,
    predictions: Sequence[ImagePrediction],
    scores: DetectionScores,
    *,
    names: Sequence[str],
    title: str,
) -> str:
    """Write the report into a folder, and return its table."""
    folder.mkdir(parents=True, exist_ok=True)
    text = score_table(scores, names)
    write_json(folder / REPORT, scores, names, title=title)
    plot_precision_recall(folder / "precision_recall.png", scores, names)
    draw_sheet(folder / "boxes.png", predictions, names, threshold=scores.threshold)
    pictures = "\n\n".join(f"![{name}]({name})" for name in ("precision_recall.png", "boxes.png"))
    (folder / "report.md").write_text(f"# {title}\n\n```\n{text}\n```\n\n{pictures}\n")
    return text


def write_json(path: Path, scores: DetectionScores, names: Sequence[str], *, title: str) -> None:
    """Write the single figures, and each class's average precision."""
    classes = {
        name: {"map50": round(float(half), 5), "map50_95": round(float(mean), 5)}
        for name, (half, mean) in zip(names, scores.per_class, strict=True)
        if not np.isnan(half)
    }
    values = {"measured_on": title, **scores.summary(), "classes": classes}
    path.write_text(json.dumps(values, indent=1) + "\n")


def plot_precision_recall(path: Path, scores: DetectionScores, names: Sequence[str]) -> None:
    """Plot precision over recall at IoU 0.5, a line a class."""
    figure, axes = plt.subplots(figsize=(7, 5), layout="constrained")
    recalls = np.linspace(0, 1, len(scores.precision))
    for name, line in zip(names, scores.precision.T, strict=True):
        if not np.isnan(line).all():
            axes.plot(recalls, line, label=name)
    axes.set_xlabel("recall")
    axes.set_ylabel("precision")
    axes.set_title(f"IoU 0.5: mAP50 {scores.map50:.3f}, {scores.objects} objects")
    axes.grid(alpha=0.3)
    if axes.lines:  # none for empty images
        axes.legend(fontsize=8)
    save_figure(figure, path)


def plot_curves(path: Path, rows: Sequence[dict[str, str]]) -> None:
    """Plot training loss and average precision on validation over the epochs of metrics.csv."""
    figure, panels = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    epochs = [int(row["epoch"]) + 1 for row in rows]
    for axes, keys in zip(panels, (["train_loss"], ["val_map50", "val_map50_95"]), strict=True):
        for key in keys:
            axes.plot(epochs, [float(row[key]) for row in rows], marker=".", label=key)
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
        axes.legend()
    save_figure(figure, path)


def draw_sheet(
    path: Path, predictions: Sequence[ImagePrediction], names: Sequence[str], *, threshold: float
) -> None:
    """Write a sheet of images with true boxes (green) and those above `threshold` (orange)."""
    step = max(1, len(predictions) // SHEET)
    tiles = [_tile(one, names, threshold) for one in predictions[::step][:SHEET]]
    write_image(path, contact_sheet(tiles, columns=8))


def _tile(prediction: ImagePrediction, names: Sequence[str], threshold: float) -> np.ndarray:
    marks = [Mark(box, TRUE_COLOUR, width=2) for box in prediction.truth.boxes]
    detected = prediction.detected
    shown = detected.take(np.flatnonzero(detected.confidences > threshold))
    marks += [
        Mark(box, DETECTED_COLOUR, f"{names[label]} {score:.2f}")
        for label, box, score in zip(shown.labels, shown.boxes, shown.confidences, strict=True)
    ]
    return marked_tile(read_picture(prediction.path), marks, side=SIDE)
