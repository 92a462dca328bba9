"""How well a published parser parses people: pixels, layers, and garments as the app finds them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from preprocessing.builders.layer_boxes import layer_boxes
from preprocessing.images.class_maps import (
    CLASSES,
    FIRST,
    UNKNOWN_PIXEL,
    garments,
    overlaps,
    pixel_pairs,
)
from preprocessing.images.contact_sheet import contact_sheet
from preprocessing.images.pictures import write_image
from preprocessing.images.regions import Region, box_iou
from training.inference.parser import FrameParser
from training.parsing.data import Parsed

FREQUENT = 10  # photos that show a class, from which it counts in the mean
MATCH = 0.5  # IoU from which a box is that of a garment
UNCLEAR = 0.5  # of a found garment, from which on it lies where the masks name no layer
SHEET, SIDE = 24, 256  # photos on the sheet, each beside its truth and its answer
PALETTE = np.array(
    [(0, 0, 0), (120, 120, 120), (60, 60, 230), (230, 120, 40), (200, 60, 200), (60, 200, 60),
     (0, 200, 230), (180, 220, 60), (30, 120, 250), (250, 220, 120), (160, 90, 250)], np.uint8,
)  # fmt: skip


@dataclass(eq=False)
class Judged:
    """What was counted over the photos.

    Attributes:
        pixels: int64 (classes, classes), a row a true class.
        shown: photos that show each class, int64 (classes,).
        regions, named: true garments, and those of which most garment pixels have the right layer.
        true, found, right: garments in the photos, garments that the app's own rules make of the
            answer, and those of them with the box (IoU of MATCH) and the layer of a true one.
        unjudged: garments besides, that lie on suits, rompers and the like, which the masks do not
            part into layers: neither right nor false, as in COCO's regions to ignore.
    """

    pixels: np.ndarray
    shown: np.ndarray
    photos: int = 0
    regions: int = 0
    named: int = 0
    true: int = 0
    found: int = 0
    right: int = 0
    unjudged: int = 0

    def summary(self) -> dict:
        """The single figures; the mean overlap is over garments that FREQUENT photos show."""
        iou = overlaps(self.pixels)
        frequent = [k for k in range(FIRST, len(CLASSES)) if self.shown[k] >= FREQUENT]
        return {
            "photos": self.photos,
            "mean_iou": float(iou[frequent].mean()) if frequent else 0.0,
            "layers_right": self.named / max(1, self.regions),
            "garments_f1": 2 * self.right / max(1, self.true + self.found),
            "false_a_photo": (self.found - self.right) / max(1, self.photos),
            "unjudged": self.unjudged,
            "accuracy": float(np.diag(self.pixels).sum() / max(1, self.pixels.sum())),
            "iou": {CLASSES[k]: round(float(value), 4) for k, value in enumerate(iou)
                    if not np.isnan(value)},
        }  # fmt: skip


def judge(parse: FrameParser, people: Sequence[Parsed]) -> Judged:
    """Hold a parser's answers for photos against their masks."""
    judged = Judged(np.zeros((len(CLASSES),) * 2, np.int64), np.zeros(len(CLASSES), np.int64))
    for one in people:
        image, truth = one.read()
        probabilities = parse(image)
        _count_pixels(judged, painted(probabilities, truth.shape), truth)
        _count_garments(judged, probabilities, truth)
        judged.photos += 1
    return judged


def painted(probabilities: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The likeliest class of every pixel, uint8 of a shape (H, W)."""
    planes = [cv2.resize(plane, shape[::-1]) for plane in probabilities]
    return np.stack(planes).argmax(axis=0).astype(np.uint8)


def _count_pixels(judged: Judged, answer: np.ndarray, truth: np.ndarray) -> None:
    judged.pixels += pixel_pairs(truth, answer)
    for label in np.unique(truth[truth != UNKNOWN_PIXEL]):
        judged.shown[label] += 1
        if label >= FIRST:
            said = answer[truth == label]
            named = np.bincount(said[said >= FIRST], minlength=len(CLASSES))
            judged.regions += 1
            judged.named += bool(named.sum()) and int(named.argmax()) == label


def _count_garments(judged: Judged, probabilities: np.ndarray, truth: np.ndarray) -> None:
    height, width = truth.shape
    layers, boxes = layer_boxes(truth - np.uint8(FIRST))  # what is no garment wraps to above
    found = garments(probabilities, width=width, height=height)
    judged.true += len(layers)
    free = dict(zip(layers, boxes, strict=True))  # a photo has one box a layer
    for region in found:
        layer = int(region.scores.argmax())
        if layer in free and box_iou(region.box[None], free[layer][None])[0, 0] >= MATCH:
            judged.right += 1
            del free[layer]
        elif _unclear_share(region, truth) >= UNCLEAR:
            judged.unjudged += 1
            continue
        judged.found += 1


def _unclear_share(region: Region, truth: np.ndarray) -> float:
    """How much of a region's mask lies on pixels of no known class."""
    x1, y1, x2, y2 = region.window
    return float((truth[y1:y2, x1:x2][region.mask > 0] == UNKNOWN_PIXEL).mean())


def table(judged: Judged) -> str:
    """The figures as fixed-width text."""
    lines = [f"{'class':12s}    IoU  photos"]
    for name, iou, count in zip(CLASSES, overlaps(judged.pixels), judged.shown, strict=True):
        if count:
            lines.append(f"{name:12s} {iou:6.3f}  {count:6d}")
    figures = judged.summary()
    lines += [
        f"mean IoU of garments in {FREQUENT} photos or more: {figures['mean_iou']:.3f}; pixels "
        f"right {figures['accuracy']:.1%}; layer of a garment right {figures['layers_right']:.1%}",
        f"garments found with box and layer: F1 {figures['garments_f1']:.3f}, "
        f"{figures['false_a_photo']:.2f} false a photo ({judged.true} in {judged.photos} photos); "
        f"{judged.unjudged} more on suits and the like, not judged",
    ]
    return "\n".join(lines)


def write_report(
    folder: Path, judged: Judged, parse: FrameParser, people: Sequence[Parsed], *, title: str
) -> str:
    """Write report.md, report.json and parsed.png into a folder; the text of the table."""
    folder.mkdir(parents=True, exist_ok=True)
    text = table(judged)
    _draw_sheet(folder / "parsed.png", parse, people)
    (folder / "report.md").write_text(f"# {title}\n\n```\n{text}\n```\n\n![](parsed.png)\n")
    write_json(folder / "report.json", judged, title=title)
    return text


def write_json(path: Path, judged: Judged, *, title: str) -> None:
    """The single figures, as shares of 0 to 1."""
    path.write_text(json.dumps({"title": title, **judged.summary()}, indent=1) + "\n")


def _draw_sheet(path: Path, parse: FrameParser, people: Sequence[Parsed]) -> None:
    """Photos with the truth, and with the answer, painted over them."""
    tiles = []
    for one in people[:: max(1, len(people) // SHEET)][:SHEET]:
        image, truth = one.read()
        scale = SIDE / max(truth.shape)
        size = (round(truth.shape[1] * scale), round(truth.shape[0] * scale))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        labels = cv2.resize(truth, size, interpolation=cv2.INTER_NEAREST)
        for seen in (labels, painted(parse(image), labels.shape)):
            colours = PALETTE[np.where(seen < len(CLASSES), seen, 0)]
            tile = np.zeros((SIDE, SIDE, 3), np.uint8)
            tile[: size[1], : size[0]] = cv2.addWeighted(small, 0.45, colours, 0.55, 0)
            tiles.append(tile)
    write_image(path, contact_sheet(tiles, columns=8))
