"""Evaluation of detectors on labelled boxes, or on pictures without garments."""

from collections.abc import Sequence
from pathlib import Path

from preprocessing.datasets.yolo_layout import SPLITS, check_layout, read_layout
from preprocessing.errors import DataError, UsageError
from preprocessing.images.pictures import picture_paths
from training.detection.metrics import score_detections
from training.detection.predictions import ImagePrediction, predict_images
from training.detection.report import write_json, write_report
from training.detection.settings import NO_NAMER, DetectorEvaluateSettings
from training.inference import weights
from training.inference.detector import Network, openvino_detector
from training.inference.label_fusion import (
    BoxClassifier,
    default_box_classifier,
    load_box_classifier,
)
from training.inference.weights import WeightsInfo


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
