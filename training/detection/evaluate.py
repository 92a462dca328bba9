"""Scores a detector on labelled boxes: what `training.evaluate` does for detectors."""

from pathlib import Path

from preprocessing.datasets.yolo_layout import check_layout, read_layout
from preprocessing.errors import DataError, UsageError
from preprocessing.images.pictures import picture_paths
from training.detection import metrics, report
from training.detection.recipes import DETECTOR
from training.inference import weights
from training.inference.box_naming import Namer, default_box_classifier
from training.inference.detector import openvino_detector


def evaluate(
    model: str,
    data: Path | None,
    *,
    split: str | None,
    threshold: float | None,
    empty: Path | None,
    name_by: str | None,
    out: Path | None,
    json_file: Path | None,
) -> str:
    """Judge a detector and write its report; the text of its table.

    Args:
        data: a data.yaml; empty: a folder of pictures without any garment, judged instead.
        split: train, val or test; None for test where there is one, else val.
        threshold: of false boxes; None for the detector's own.
        name_by: a classifier that helps to name the boxes, or DETECTOR; None for the app's default.

    Raises:
        DataError, WeightsError: nothing there, or it is broken.
    """
    stem, info = weights.locate(model)
    weights.verified(stem.with_suffix(".onnx"))
    threshold = info.confidence if threshold is None else threshold
    network = openvino_detector(stem, info)
    if empty:
        given = metrics.answers(info, network, picture_paths(empty), labelled=False)
        title = f"{info.name} on pictures without garments in {empty}"
    elif data:
        layout = read_layout(data)
        if layout.names != info.classes:
            raise DataError(f"{data} has the classes {', '.join(layout.names)}, {info.name} "
                            f"knows {', '.join(info.classes)}")  # fmt: skip
        part = {"validation": "val", "training": "train"}.get(split, split)
        part = part or ("test" if "test" in layout.folders else "val")
        check_layout(layout, (part,))
        name_by = name_by or default_box_classifier(info) or DETECTOR
        namer, title = None, f"{info.name} on {part} of {data}"
        if name_by != DETECTOR:
            namer = Namer(*weights.locate(name_by), info)
            title = f"{info.name} named with {namer.info.name} on {part} of {data}"
        given = metrics.answers(info, network, layout.images(part), labelled=True, namer=namer)
    else:
        raise UsageError(f"{info.name} is a detector: give --data data.yaml or --empty DIR")
    scores = metrics.score(given, classes=len(info.classes), threshold=threshold)
    folder = out or Path("out") / f"evaluate-{info.name}"
    text = report.write_report(folder, given, scores, names=info.classes, title=title)
    if json_file:
        report.write_json(json_file, scores, info.classes, title=title)
    return f"{text}\nwrote {folder}/report.md, report.json, precision_recall.png, boxes.png"
