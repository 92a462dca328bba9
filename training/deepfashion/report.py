"""Report of the scores of a DeepFashion network: report.md, report.json and boxes.png."""

import json
from pathlib import Path

import numpy as np

from preprocessing.images.contact_sheet import Mark, contact_sheet, marked_tile
from preprocessing.images.pictures import read_picture, write_image
from training.common.metrics import attribute_table
from training.common.runs import REPORT
from training.deepfashion.data import FashionSubset
from training.deepfashion.metrics import RECALLS, FashionScores

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
