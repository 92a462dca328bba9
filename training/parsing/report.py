"""Report of a parser's scores: report.md, report.json and parsed.png in one folder."""

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from preprocessing.images.class_maps import CLASSES, overlaps
from preprocessing.images.contact_sheet import contact_sheet
from preprocessing.images.pictures import write_image
from training.inference.parser import FrameParser
from training.parsing.data import AnnotatedPhoto
from training.parsing.metrics import FREQUENT, ParsingScores, likeliest_classes

SHEET, SIDE = 24, 256  # photos on the sheet, and the side of a tile in pixels
# Of the classes, BGR.
PALETTE = np.array(
    [(0, 0, 0), (120, 120, 120), (60, 60, 230), (230, 120, 40), (200, 60, 200), (60, 200, 60),
     (0, 200, 230), (180, 220, 60), (30, 120, 250), (250, 220, 120), (160, 90, 250)], np.uint8,
)  # fmt: skip


def score_table(scores: ParsingScores) -> str:
    """Return the scores as fixed-width text."""
    lines = [f"{'class':12s}    IoU  photos"]
    for name, iou, count in zip(CLASSES, overlaps(scores.confusion), scores.shown, strict=True):
        if count:
            lines.append(f"{name:12s} {iou:6.3f}  {count:6d}")
    figures = scores.summary()
    lines += [
        f"mean IoU of garments in {FREQUENT} photos or more: {figures['mean_iou']:.3f}; pixels "
        f"right {figures['accuracy']:.1%}; layer of a garment right {figures['layers_right']:.1%}",
        f"garments found with box and layer: F1 {figures['garments_f1']:.3f}, "
        f"{figures['false_a_photo']:.2f} false a photo ({scores.true} in {scores.photos} photos); "
        f"{scores.ignored} more on suits and the like, not counted",
    ]
    return "\n".join(lines)


def write_report(
    folder: Path,
    scores: ParsingScores,
    parse: FrameParser,
    photos: Sequence[AnnotatedPhoto],
    *,
    title: str,
) -> str:
    """Write report.md, report.json and parsed.png into a folder, and return the table."""
    folder.mkdir(parents=True, exist_ok=True)
    text = score_table(scores)
    _draw_sheet(folder / "parsed.png", parse, photos)
    (folder / "report.md").write_text(f"# {title}\n\n```\n{text}\n```\n\n![](parsed.png)\n")
    write_json(folder / "report.json", scores, title=title)
    return text


def write_json(path: Path, scores: ParsingScores, *, title: str) -> None:
    """Write the single figures, fractions as 0 to 1."""
    path.write_text(json.dumps({"title": title, **scores.summary()}, indent=1) + "\n")


def _draw_sheet(path: Path, parse: FrameParser, photos: Sequence[AnnotatedPhoto]) -> None:
    """Photos under their true and under their predicted classes, side by side."""
    tiles = []
    for photo in photos[:: max(1, len(photos) // SHEET)][:SHEET]:
        image, truth = photo.read()
        scale = SIDE / max(truth.shape)
        width, height = round(truth.shape[1] * scale), round(truth.shape[0] * scale)
        small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        labels = cv2.resize(truth, (width, height), interpolation=cv2.INTER_NEAREST)
        for classes in (labels, likeliest_classes(parse(image), width, height)):
            colours = PALETTE[np.where(classes < len(CLASSES), classes, 0)]
            tile = np.zeros((SIDE, SIDE, 3), np.uint8)
            tile[:height, :width] = cv2.addWeighted(small, 0.45, colours, 0.55, 0)
            tiles.append(tile)
    write_image(path, contact_sheet(tiles, columns=8))
