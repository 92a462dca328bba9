"""Publishing of classifiers."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from preprocessing.errors import UsageError
from training.classification.data import NETWORK_INPUT, finished_splits
from training.classification.networks import load_run
from training.classification.settings import ClassifierExportSettings
from training.common.metrics import fit_temperature, score
from training.common.publish import (
    CHECKED_IMAGES,
    base_info,
    check_logits,
    count_parameters,
    first_images,
    publish,
    rounded,
    write_logits_onnx,
)
from training.common.runs import REPORT
from training.common.subsets import Splits, predict, readable
from training.inference.weights import WeightsInfo


def export(settings: ClassifierExportSettings) -> str:
    """Publish the best network of a run; the text to print.

    Raises:
        UsageError: no such run, or it has not been evaluated.
        WeightsError: the two files give different logits.
    """
    run = load_run(settings.run)
    half = settings.precision == "half"
    network = rounded(run.network) if half else run.network
    began, recipe = run.config.settings, run.config.settings.recipe
    if settings.data_dir:
        began = replace(began, data_dir=settings.data_dir)
    splits = finished_splits(settings.run, began)
    info = _measured(base_info(run.config, network, network_input=NETWORK_INPUT[recipe.channels]),
                     network, splits, figures=_figures(settings.run))  # fmt: skip
    info = replace(info, channels=recipe.channels, head=recipe.head)
    images = first_images((splits.validation or splits.training).loader())
    publish(
        info,
        network,
        settings.out,
        write_onnx=lambda path: write_logits_onnx(path, network, info, half=half),
        check=lambda stem, published: check_logits(stem, published, images),
        half=half,
    )
    return (f"wrote {settings.out / info.name}.safetensors and .onnx: equal logits on "
            f"{CHECKED_IMAGES} images, temperature {info.temperature:.3f}")  # fmt: skip


def _measured(
    info: WeightsInfo, network: nn.Module, splits: Splits, *, figures: dict[str, Any]
) -> WeightsInfo:
    """The metadata with the figures of the run, and the calibration on its validation subset."""
    metrics: dict[str, Any] = {"parameters": count_parameters(network)}
    metrics[figures.get("measured_on", "test")] = figures
    temperature = float(figures["temperature"])
    if splits.validation is not None:
        logits, labels = readable(*predict(network, splits.validation.loader()))
        temperature = fit_temperature(logits, labels)
        metrics["validation"] = score(logits, labels, temperature=temperature).summary()
    return replace(info, temperature=round(temperature, 5), metrics=metrics)


def _figures(run: Path) -> dict[str, Any]:
    """The figures that training.fit measured at its end.

    Raises:
        UsageError: there are none.
    """
    try:
        return json.loads((run / REPORT).read_text())
    except (OSError, ValueError) as error:
        raise UsageError(f"{run} has no {REPORT}: let training.fit finish") from error
