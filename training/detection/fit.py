"""Training of detectors."""

import math
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from preprocessing.datasets.yolo_layout import check_layout, read_layout
from training.common import runs
from training.common.runs import METRICS, Run, read_config, read_metrics, write_config
from training.common.settings import Machine
from training.detection import yolo
from training.detection.export import publish_run
from training.detection.report import plot_curves
from training.detection.settings import FitSettings

if TYPE_CHECKING:
    from training.detection.yolo import Epoch


def fit(settings: FitSettings, machine: Machine, run: Run) -> str | None:
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
        read_config(folder, FitSettings),
        parameters=info.metrics["parameters"],
        count=figures["images"],
        measured_on="validation",
        map50=figures["map50"],
        map50_95=figures["map50_95"],
    )
    return (f"{text}\nwrote {folder}: threshold {info.confidence:.2f}, curves.png, report.md, "
            "boxes.png")  # fmt: skip
