"""Evaluation of detectors on labelled boxes, or on pictures without garments.

Writes report.md, report.json, precision_recall.png and boxes.png.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from tqdm import tqdm

from preprocessing.datasets.yolo_layout import SPLITS, Boxes, check_layout, read_boxes, read_layout
from preprocessing.errors import DataError, UsageError
from preprocessing.images.contact_sheets import Mark, contact_sheet, marked_tile
from preprocessing.images.pictures import picture_paths, read_picture, write_image
from training.common.reports import save_figure
from training.common.runs import REPORT
from training.detection.metrics import DetectionScores, ImagePrediction, score_detections
from training.detection.settings import NO_NAMER, DetectorEvaluateSettings
from training.inference import weights
from training.inference.detector import Detector, Network, openvino_detector
from training.inference.label_fusion import (
    BoxClassifier,
    default_box_classifier,
    load_box_classifier,
)
from training.inference.weights import WeightsInfo

matplotlib.use("Agg")  # files only: never needs a display

MIN_SCORE = 0.001  # of the boxes that average precision is computed from


def predict_images(
    info: WeightsInfo,
    network: Network,
    images: Sequence[Path],
    *,
    labelled: bool,
    namer: BoxClassifier | None = None,
) -> list[ImagePrediction]:
    """Return a detector's boxes in all classes for images, with their labels.

    Args:
        labelled: False for images without any garment.
        namer: labels the boxes together with the detector; None for the detector alone.

    Raises:
        DataError: an image cannot be read, its label file is broken, or there is no image.
    """
    detector = Detector(info, network, confidence=MIN_SCORE, square=True,
                        multi_label=namer is None, class_agnostic=namer is not None)  # fmt: skip
    found = []
    for path in tqdm(images, "images", disable=None):
        image = read_picture(path)
        height, width = image.shape[:2]
        truth = Boxes(np.zeros(0, np.int64), np.zeros((0, 4), np.float32))
        if labelled:
            fractions = read_boxes(path, classes=len(info.classes))
            sides = np.array([width, height] * 2, np.float32)
            truth = Boxes(fractions.labels, fractions.boxes * sides)
        detected = detector(image)
        peak = float(detected.confidences.max(initial=0))
        if namer:
            detected = namer(image, detected)
        found.append(ImagePrediction(path, width, height, truth, detected, peak))
    if not found:
        raise DataError("no images to evaluate the detector on")
    return found


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
    (folder / "report.md").write_text(
        f"# {title}\n\n```\n{text}\n```\n\n{pictures}\n", encoding="utf-8"
    )
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


def evaluate(settings: DetectorEvaluateSettings) -> str:
    """Evaluate a detector and write its report, and return the text to print.

    Raises:
        DataError, UsageError, WeightsError: nothing there, or it does not fit the model.
    """
    stem, info = weights.locate(settings.model)
    weights.verified(stem.with_suffix(".onnx"))
    network = openvino_detector(stem, info)
    found, title = _predictions(settings, info, network)
    threshold = settings.detection_confidence
    scores = score_detections(
        found,
        classes=len(info.classes),
        threshold=info.confidence if threshold is None else threshold,
    )
    folder = settings.folder(info.name)
    text = write_report(folder, found, scores, names=info.classes, title=title)
    if settings.json:
        write_json(settings.json, scores, info.classes, title=title)
    return f"{text}\nwrote {folder}/report.md, report.json, precision_recall.png, boxes.png"


def _predictions(
    settings: DetectorEvaluateSettings, info: WeightsInfo, network: Network
) -> tuple[Sequence[ImagePrediction], str]:
    """The predictions for the images of the settings, and the title of their report."""
    if settings.empty:
        found = predict_images(info, network, picture_paths(settings.empty), labelled=False)
        return found, f"{info.name} on pictures without garments in {settings.empty}"
    if settings.data is None:
        raise UsageError(f"{info.name} is a detector: give --data data.yaml or --empty DIR")
    split, images = _images(settings.data, settings.split, info)
    namer = _namer(settings, info)
    found = predict_images(info, network, images, labelled=True, namer=namer)
    name = f"{info.name} named with {namer.info.name}" if namer else info.name
    return found, f"{name} on {split} of {settings.data}"


def _images(data: Path, split: str | None, info: WeightsInfo) -> tuple[str, list[Path]]:
    """The name of a split, by default test or else validation, and its checked images."""
    layout = read_layout(data)
    if layout.names != info.classes:
        raise DataError(f"{data} has the classes {', '.join(layout.names)}, {info.name} "
                        f"{', '.join(info.classes)}: wanted the same")  # fmt: skip
    if split is None:
        split = "test" if SPLITS["test"] in layout.folders else "validation"
    check_layout(layout, (SPLITS[split],))
    return split, layout.images(SPLITS[split])


def _namer(settings: DetectorEvaluateSettings, info: WeightsInfo) -> BoxClassifier | None:
    """The classifier that labels boxes together with the detector; None for the detector alone."""
    if settings.namer in NO_NAMER:
        return None
    name = settings.namer or default_box_classifier(info)
    return load_box_classifier(name, settings.model) if name else None
