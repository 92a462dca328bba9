"""Trains, judges and publishes detectors, for `training.fit` and `training.export`."""

import argparse
import csv
import dataclasses
import math
import sys
from collections.abc import Callable
from pathlib import Path

from preprocessing.datasets.yolo_layout import check_layout, read_layout
from preprocessing.errors import UsageError
from training.common import run_index
from training.common.checkpoints import read_config, write_config
from training.common.flags import replaced
from training.detection import metrics, report
from training.detection.recipes import DETECTORS, DetectorRecipe
from training.export import describe_onnx
from training.inference import weights
from training.inference.detector import openvino_detector
from training.inference.weights import WeightsInfo

METRICS = "metrics.csv"
FLAGS = {  # of training.fit that a detector takes
    "model", "data", "out", "resume", "seed", "device", "epochs", "batch_size", "lr", "image_size",
    "weight_decay", "patience", "pretrained",
}  # fmt: skip
LAST = "weights/last.pt"  # the checkpoint to go on with, as ultralytics names it
DEFAULT_CONFIDENCE = 0.25  # until validation has chosen one


def fit(args: argparse.Namespace, given: set[str], **origin: str) -> bool:
    """Train the detector that the flags name, and judge it on validation; False after Ctrl-C.

    Raises:
        DataError: no data.yaml, or a label is broken.
        UsageError: flags that do not fit.
    """
    run: Path = args.resume or args.out
    recipe, config = read_config(run, DetectorRecipe) if args.resume else _plan(args, given)
    layout = read_layout(Path(config["data"]))
    check_layout(layout, ("train", "val"))
    if not args.resume:
        config |= {"classes": list(layout.names), **origin}
        write_config(run, recipe, **config)
        (run / METRICS).unlink(missing_ok=True)
    from training.detection import yolo

    try:
        yolo.train(recipe, layout, run, seed=config["seed"], device=args.device,
                   resume=bool(args.resume), after_epoch=_log_to(run, recipe.epochs))  # fmt: skip
    except KeyboardInterrupt:
        return False
    _finish(run)
    return True


def _plan(args: argparse.Namespace, given: set[str]) -> tuple[DetectorRecipe, dict]:
    """The recipe and the config of a new run."""
    if args.data is None:
        raise UsageError(
            f"--model {args.model} learns from labelled boxes: give --data data.yaml (see `python "
            "-m preprocessing.builders.canvases`)"
        )
    config = {"model": args.model, "seed": args.seed, "data": str(args.data.resolve())}
    recipe = replaced(DETECTORS[args.model], args, given, allowed=FLAGS, task="detectors")
    if "image_size" in given:
        recipe = dataclasses.replace(recipe, smaller=())
    return recipe, config


def _log_to(run: Path, epochs: int) -> Callable[[object], None]:
    """Append each epoch to metrics.csv and say it in one line."""

    def log(epoch) -> None:
        row = {name: f"{value:.6g}" for name, value in dataclasses.asdict(epoch).items()}
        run_index.append(run / METRICS, row)
        judged = f"validation mAP50 {epoch.val_map50:.3f}, mAP50-95 {epoch.val_map50_95:.3f}, "
        judged = "" if math.isnan(epoch.val_map50) else judged
        print(f"epoch {epoch.epoch + 1}/{epochs}: loss {epoch.train_loss:.3f}, {judged}"
              f"{epoch.seconds:.0f} s", file=sys.stderr, flush=True)  # fmt: skip

    return log


def _finish(run: Path) -> None:
    """Publish into the run's own folder, judge that on validation, and enter the registry."""
    with (run / METRICS).open(newline="") as file:
        rows = list(csv.DictReader(file))
    report.plot_curves(run / "curves.png", rows)
    info = export(run, run)
    _, config = read_config(run, DetectorRecipe)
    print(f"wrote {run}: threshold {info.confidence:.2f}, curves.png, report.md, boxes.png")
    figures = info.metrics["validation"]
    run_index.put(
        run, config, rows, parameters=info.metrics["parameters"], count=figures["images"],
        measured_on="validation", map50=figures["map50"], map50_95=figures["map50_95"],
    )  # fmt: skip


def export(run: Path, folder: Path, *, confidence: float | None = None) -> WeightsInfo:
    """Publish a run's best network into `folder`, judged on the validation images of its data.

    Args:
        confidence: the default threshold; None for the one that is best on validation.

    Raises:
        UsageError: no such run, or it has no whole checkpoint.
        WeightsError: the two files give different answers.
    """
    from training.detection import yolo

    recipe, config = read_config(run, DetectorRecipe)
    network = yolo.best_network(run)
    info = WeightsInfo(
        name=config["model"], network=recipe.network, classes=tuple(config["classes"]),
        cut="letterbox", size=recipe.size, channels=3, mean=(0.0,) * 3, std=(1.0,) * 3,
        temperature=1.0, task="detect", confidence=DEFAULT_CONFIDENCE,
        command=config["command"], commit=config["commit"],
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / info.name
    yolo.write_onnx(stem, network, info)
    layout = read_layout(Path(config["data"]))
    published = openvino_detector(stem, info)
    given = metrics.answers(info, published, layout.images("val"), labelled=True)
    confidence = metrics.best_threshold(given)[0] if confidence is None else confidence
    scores = metrics.score(given, classes=len(info.classes), threshold=confidence)
    title = f"{info.name} on the validation images of {config['data']}"
    print(report.write_report(run, given, scores, names=info.classes, title=title))
    parameters = sum(p.numel() for p in network.parameters())
    measured = {"parameters": parameters, "validation": scores.summary()}
    info = dataclasses.replace(info, confidence=round(confidence, 3), metrics=measured)
    describe_onnx(stem.with_suffix(".onnx"), info)
    yolo.save_network(stem, network, info)
    yolo.check(stem, info)
    weights.write_manifest(info, folder)
    return info
