"""Evaluation of parsers on photos with masks: report.md, report.json and parsed.png.

Scores of pixels, of layers, and of garments as the app finds them.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from preprocessing.datasets.masked_photos import AnnotatedPhoto, masked_photos
from preprocessing.datasets.parsed_people import layer_boxes
from preprocessing.errors import DataError
from preprocessing.images.class_maps import (
    CLASSES,
    FIRST,
    UNKNOWN_PIXEL,
    Postprocessing,
    garments,
    overlaps,
    pixel_pairs,
)
from preprocessing.images.contact_sheets import contact_sheet
from preprocessing.images.pictures import write_image
from preprocessing.images.regions import Region, box_iou
from training.inference import weights
from training.inference.detector import Detector, openvino_detector
from training.inference.parser import FrameParser, openvino_parser
from training.inference.people import CANDIDATE, PeopleFinder
from training.inference.pose import load_poses
from training.parsing.settings import ParserEvaluateSettings

FREQUENT = 10  # photos that show a class, from which it counts in the mean
MATCH_IOU = 0.5  # of boxes, from which a found garment matches a true one
IGNORED_COVERAGE = 0.5  # fraction of a found garment on unknown pixels, from which it is ignored


@dataclass(eq=False)
class ParsingScores:
    """Counts over photos, and the figures that follow from them.

    Attributes:
        confusion: pixels int64 (classes, classes), a row a true class.
        shown: photos that show each class, int64 (classes,).
        regions: true garments; regions_right: those most of whose garment pixels have the right
            layer.
        true: garments in the photos; found: garments that the app makes of the probabilities;
            right: found ones with the box (IoU of MATCH_IOU) and the layer of a true one.
        ignored: garments found on suits, rompers and the like, whose pixels the masks do not
            divide into layers: neither right nor false, as COCO's regions to ignore.
    """

    confusion: np.ndarray
    shown: np.ndarray
    photos: int = 0
    regions: int = 0
    regions_right: int = 0
    true: int = 0
    found: int = 0
    right: int = 0
    ignored: int = 0

    def summary(self) -> dict[str, Any]:
        """The single figures; the mean IoU is over garments that FREQUENT photos show."""
        iou = overlaps(self.confusion)
        frequent = [k for k in range(FIRST, len(CLASSES)) if self.shown[k] >= FREQUENT]
        return {
            "photos": self.photos,
            "mean_iou": float(iou[frequent].mean()) if frequent else 0.0,
            "layers_right": self.regions_right / max(1, self.regions),
            "garments_f1": 2 * self.right / max(1, self.true + self.found),
            "false_a_photo": (self.found - self.right) / max(1, self.photos),
            "unjudged": self.ignored,
            "accuracy": float(np.diag(self.confusion).sum() / max(1, self.confusion.sum())),
            "iou": {CLASSES[k]: round(float(value), 4) for k, value in enumerate(iou)
                    if not np.isnan(value)},
        }  # fmt: skip


def score_parser(
    parse: Callable[[np.ndarray], np.ndarray],
    photos: Sequence[AnnotatedPhoto],
    *,
    postprocessing: Postprocessing,
    people: PeopleFinder | None = None,
) -> ParsingScores:
    """Compare a parser's predictions for photos with their masks.

    Args:
        parse: from a BGR image (H, W, 3) to class probabilities float32 (classes, h, w).
        postprocessing: fitted to the parser.
        people: garments are those of the people it finds, where it finds any.
    """
    count = len(CLASSES)
    scores = ParsingScores(np.zeros((count, count), np.int64), np.zeros(count, np.int64))
    for photo in photos:
        image, truth = photo.read()
        probabilities = parse(image)
        height, width = truth.shape
        _count_pixels(scores, likeliest_classes(probabilities, width, height), truth)
        wearers = people(image) if people else []
        found = [one for each in wearers for one in each.garments(width=width, height=height)]
        if not found:
            found = garments(probabilities, width=width, height=height, settings=postprocessing)
        count_garments(scores, found, truth)
        scores.photos += 1
    return scores


def likeliest_classes(probabilities: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return the likeliest class of every pixel, uint8 (height, width)."""
    planes = [cv2.resize(plane, (width, height)) for plane in probabilities]
    return np.stack(planes).argmax(axis=0).astype(np.uint8)


def _count_pixels(scores: ParsingScores, predicted: np.ndarray, truth: np.ndarray) -> None:
    scores.confusion += pixel_pairs(truth, predicted)
    for label in np.unique(truth[truth != UNKNOWN_PIXEL]):
        scores.shown[label] += 1
        if label >= FIRST:
            inside = predicted[truth == label]
            layers = np.bincount(inside[inside >= FIRST], minlength=len(CLASSES))
            scores.regions += 1
            scores.regions_right += bool(layers.sum()) and int(layers.argmax()) == label


def count_garments(scores: ParsingScores, found: Sequence[Region], truth: np.ndarray) -> None:
    """Add the garments found in a photo with the classes uint8 (H, W)."""
    layers, boxes = layer_boxes(truth - np.uint8(FIRST))  # classes below FIRST wrap to high values
    scores.true += len(layers)
    unmatched = dict(zip(layers, boxes, strict=True))  # a photo has one box a layer
    for region in found:
        if region.scores is None:
            raise ValueError("garments() returned a region without scores")
        layer = int(region.scores.argmax())
        box = unmatched.get(layer)
        if box is not None and box_iou(region.box[None], box[None])[0, 0] >= MATCH_IOU:
            scores.right += 1
            del unmatched[layer]
        elif _unknown_fraction(region, truth) >= IGNORED_COVERAGE:
            scores.ignored += 1
            continue
        scores.found += 1


def _unknown_fraction(region: Region, truth: np.ndarray) -> float:
    """The fraction of a region's mask that lies on pixels of unknown class."""
    x1, y1, x2, y2 = region.window
    return float((truth[y1:y2, x1:x2][region.mask > 0] == UNKNOWN_PIXEL).mean())


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
    (folder / "report.md").write_text(
        f"# {title}\n\n```\n{text}\n```\n\n![](parsed.png)\n", encoding="utf-8"
    )
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


def find_people_by(detector: str, parse: FrameParser) -> PeopleFinder:
    """A finder of people by a committed detector or a weight file, as in the app.

    Raises:
        WeightsError: there is no such detector, or its file is damaged.
    """
    stem, info = weights.locate_for("detect", detector)
    weights.verified(stem.with_suffix(".onnx"))
    network = openvino_detector(stem, info)
    return PeopleFinder(Detector(info, network, confidence=CANDIDATE), parse, load_poses())


def evaluate(settings: ParserEvaluateSettings) -> str:
    """Evaluate a parser on a split, write report.md, report.json and parsed.png, and return the
    text to print.

    Raises:
        DataError, WeightsError: nothing there, or it is broken.
    """
    stem, info = weights.locate(settings.model)
    weights.verified(stem.with_suffix(".onnx"))
    photos = masked_photos(settings.data)[settings.split]
    if not photos:
        raise DataError(f"{settings.data} has no photos of the {settings.split} split: give "
                        "another --split")  # fmt: skip
    parse = openvino_parser(stem, info)
    people = find_people_by(settings.people, parse) if settings.people else None
    scores = score_parser(parse, photos, postprocessing=parse.postprocessing, people=people)
    folder, title = settings.folder(info.name), f"{info.name}, {settings.split} of {settings.data}"
    text = write_report(folder, scores, parse, photos, title=title)
    if settings.json:
        write_json(settings.json, scores, title=title)
    return f"{text}\nwrote {folder}/report.md, report.json, parsed.png"
