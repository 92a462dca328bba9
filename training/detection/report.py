"""Tables and pictures of a judged detector, written into one folder."""

import json
from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # files only: never needs a display

import matplotlib.pyplot as plt
import numpy as np

from preprocessing.images.contact_sheet import Mark, contact_sheet, marked_tile
from preprocessing.images.pictures import read_picture, write_image
from training.detection.metrics import Answer, Scores

SHEET = 32  # images on the contact sheet
SIDE = 224  # pixels of a tile
TRUTH, FOUND = (0, 200, 0), (0, 80, 255)  # BGR


def table(scores: Scores, names: Sequence[str]) -> str:
    """Average precision of each class as fixed-width text, and the figures over all."""
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
    folder: Path, given: Sequence[Answer], scores: Scores, *, names: Sequence[str], title: str
) -> str:
    """report.md, report.json, precision_recall.png and boxes.png; the text of the table."""
    folder.mkdir(parents=True, exist_ok=True)
    text = table(scores, names)
    write_json(folder / "report.json", scores, names, title=title)
    plot_precision_recall(folder / "precision_recall.png", scores, names)
    draw_sheet(folder / "boxes.png", given, names, threshold=scores.threshold)
    pictures = "\n\n".join(f"![{name}]({name})" for name in ("precision_recall.png", "boxes.png"))
    (folder / "report.md").write_text(f"# {title}\n\n```\n{text}\n```\n\n{pictures}\n")
    return text


def write_json(path: Path, scores: Scores, names: Sequence[str], *, title: str) -> None:
    """The single figures, and each class's average precision."""
    classes = {
        name: {"map50": round(float(half), 5), "map50_95": round(float(mean), 5)}
        for name, (half, mean) in zip(names, scores.per_class, strict=True)
        if not np.isnan(half)
    }
    values = {"measured_on": title, **scores.summary(), "classes": classes}
    path.write_text(json.dumps(values, indent=1) + "\n")


def plot_precision_recall(path: Path, scores: Scores, names: Sequence[str]) -> None:
    """Precision over recall at IoU 0.5, a line a class."""
    figure, axes = plt.subplots(figsize=(7, 5), layout="constrained")
    recalls = np.linspace(0, 1, len(scores.precision))
    for name, line in zip(names, scores.precision.T, strict=True):
        if not np.isnan(line).all():
            axes.plot(recalls, line, label=name)
    axes.set_xlabel("recall")
    axes.set_ylabel("precision")
    axes.set_title(f"IoU 0.5: mAP50 {scores.map50:.3f}, {scores.objects} objects")
    axes.grid(alpha=0.3)
    if axes.lines:  # none on empty pictures
        axes.legend(fontsize=8)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def plot_curves(path: Path, rows: Sequence[dict[str, str]]) -> None:
    """Training loss and average precision on validation over the epochs of metrics.csv."""
    figure, panels = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    epochs = [int(row["epoch"]) + 1 for row in rows]
    for axes, keys in zip(panels, (["train_loss"], ["val_map50", "val_map50_95"]), strict=True):
        for key in keys:
            axes.plot(epochs, [float(row[key]) for row in rows], marker=".", label=key)
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def draw_sheet(
    path: Path, given: Sequence[Answer], names: Sequence[str], *, threshold: float
) -> None:
    """Images with the truth in green and, at `threshold`, what was found in orange."""
    step = max(1, len(given) // SHEET)
    tiles = [_draw(answer, names, threshold) for answer in given[::step][:SHEET]]
    write_image(path, contact_sheet(tiles, columns=8))


def _draw(answer: Answer, names: Sequence[str], threshold: float) -> np.ndarray:
    marks = [Mark(box, TRUTH, width=2) for box in answer.truth.boxes]
    found = answer.found.take(np.flatnonzero(answer.found.confidences > threshold))
    marks += [
        Mark(box, FOUND, f"{names[label]} {strength:.2f}")
        for label, box, strength in zip(found.labels, found.boxes, found.confidences, strict=True)
    ]
    return marked_tile(read_picture(answer.path), marks, side=SIDE)
