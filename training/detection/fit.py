"""Training and publishing of detectors."""

import math
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from preprocessing.datasets.yolo_layout import SPLITS, check_layout, read_layout
from training.common import runs
from training.common.export_weights import compare_outputs, count_parameters, publish
from training.common.runs import METRICS, Run, RunConfig, read_config, read_metrics, write_config
from training.common.settings import Machine
from training.detection import yolo
from training.detection.evaluate import plot_curves, predict_images, write_report
from training.detection.metrics import best_threshold, score_detections
from training.detection.settings import DetectorExportSettings, DetectorFitSettings
from training.inference.detector import openvino_detector
from training.inference.weights import WeightsInfo

DEFAULT_CONFIDENCE = 0.25  # until validation has chosen one
MAX_PIXELS, MAX_SCORE = 1.0, 0.01  # by which boxes and scores of graph and tensors may differ


def export(settings: DetectorExportSettings) -> str:
    """Publish the best network of a run, and return the text to print.

    Raises:
        UsageError: no such run, or it has no whole checkpoint.
        WeightsError: the file's graph and its tensors give different boxes.
    """
    info, text = publish_run(settings.run, settings.out, confidence=settings.detection_confidence)
    return f"{text}\nwrote {settings.out / info.name}.onnx"


def publish_run(
    run: Path, folder: Path, *, confidence: float | None = None
) -> tuple[WeightsInfo, str]:
    """Publish the best network of a run into a folder, evaluated on the run's validation images.

    The report is written into the run's folder; returned are the metadata and the report's table.

    Args:
        confidence: the default threshold; None for the one that is best on validation.

    Raises:
        DataError, UsageError, WeightsError: see `export`.
    """
    config, texts = read_config(run, DetectorFitSettings), []
    data, network = config.settings.data, yolo.best_network(run)
    info = _metadata(config)

    def measure(stem: Path) -> WeightsInfo:
        images = read_layout(data).images(SPLITS["validation"])
        found = predict_images(info, openvino_detector(stem, info), images, labelled=True)
        threshold = best_threshold(found)[0] if confidence is None else confidence
        scores = score_detections(found, classes=len(info.classes), threshold=threshold)
        title = f"{info.name} on the validation images of {data}"
        texts.append(write_report(run, found, scores, names=info.classes, title=title))
        metrics = {"parameters": count_parameters(network), "validation": scores.summary()}
        return replace(info, confidence=round(threshold, 3), metrics=metrics)

    published = publish(
        info,
        network,
        folder,
        write_onnx=lambda path: yolo.write_onnx(path, network, info),
        check=check,
        measure=measure,
    )
    return published, texts[0]


def _metadata(config: RunConfig[DetectorFitSettings]) -> WeightsInfo:
    """The metadata of a run's network, before it is evaluated."""
    settings = config.settings
    return WeightsInfo(
        name=settings.model,
        network=settings.recipe.network,
        classes=config.classes,
        network_input="letterbox",
        size=settings.recipe.size,
        channels=3,
        mean=(0.0,) * 3,
        std=(1.0,) * 3,
        temperature=1.0,
        task=settings.task,
        confidence=DEFAULT_CONFIDENCE,
        command=config.command,
        commit=config.commit,
    )


def check(stem: Path, info: WeightsInfo) -> None:
    """Compare the boxes and scores of the file's graph and of its tensors for noise.

    Raises:
        WeightsError: boxes differ by more than a pixel, or scores by more than a hundredth.
    """
    image = np.random.default_rng(0).integers(0, 256, (info.size, info.size, 3), np.uint8)
    from_onnx = openvino_detector(stem, info, precision="fp32")(image)
    pixels = torch.from_numpy(image[None, :, :, ::-1].copy()).permute(0, 3, 1, 2).float() / 255
    with torch.inference_mode():
        from_tensors = yolo.load_network(stem, info)(pixels)[0].numpy()
    compare_outputs(stem, from_onnx[:4], from_tensors[:4], limit=MAX_PIXELS, unit="pixels")
    compare_outputs(stem, from_onnx[4:], from_tensors[4:], limit=MAX_SCORE, unit="of a score")


if TYPE_CHECKING:
    from training.detection.yolo import Epoch


def fit(settings: DetectorFitSettings, machine: Machine, run: Run) -> str | None:
    """Train the detector of the settings, publish it into its run and evaluate it.

    Returns the text to print; None after Ctrl-C.

    Raises:
        DataError: no data.yaml, or a label is broken.
        DeviceError, UsageError: the device or the recipe cannot be used.
    """
    layout = read_layout(settings.data)
    check_layout(layout, ("train", "val"))
    device = machine.chosen().device
    if not run.resumed:
        write_config(run, settings, classes=layout.names)
        (run.folder / METRICS).unlink(missing_ok=True)
    try:
        yolo.train(
            settings.recipe,
            layout,
            run.folder,
            seed=settings.seed,
            device=device,
            resume=run.resumed,
            after_epoch=log_epochs(run.folder, settings.recipe.epochs),
        )
    except KeyboardInterrupt:
        return None
    return finish(run.folder)


def log_epochs(folder: Path, epochs: int) -> Callable[["Epoch"], None]:
    """Return a function that appends an epoch to metrics.csv and reports it in one line."""

    def log(epoch: "Epoch") -> None:
        row = {name: f"{value:.6g}" for name, value in asdict(epoch).items()}
        runs.append_row(folder / METRICS, row)
        scores = f"validation mAP50 {epoch.val_map50:.3f}, mAP50-95 {epoch.val_map50_95:.3f}, "
        scores = "" if math.isnan(epoch.val_map50) else scores
        print(f"epoch {epoch.epoch + 1}/{epochs}: loss {epoch.train_loss:.3f}, {scores}"
              f"{epoch.seconds:.0f} s", file=sys.stderr, flush=True)  # fmt: skip

    return log


def finish(folder: Path) -> str:
    """Publish the best network into its run, evaluated on validation, and enter the run index.

    Returns the text to print.
    """
    plot_curves(folder / "curves.png", read_metrics(folder / METRICS))
    info, text = publish_run(folder, folder)
    figures = info.metrics["validation"]
    runs.enter_index(
        folder,
        read_config(folder, DetectorFitSettings),
        parameters=info.metrics["parameters"],
        count=figures["images"],
        measured_on="validation",
        map50=figures["map50"],
        map50_95=figures["map50_95"],
    )
    return (f"{text}\nwrote {folder}: threshold {info.confidence:.2f}, curves.png, report.md, "
            "boxes.png")  # fmt: skip
