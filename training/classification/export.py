"""Publishing of classifiers, whole or compressed."""

import json
import logging
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import nn

from preprocessing.errors import UsageError, WeightsError
from training.classification.data import compression_subsets, finished_splits
from training.classification.evaluate import info_of, load_run
from training.classification.settings import ClassifierExportSettings, CompressSettings
from training.common.checkpoints import load_network
from training.common.export_weights import (
    CHECKED_IMAGES,
    check_logits,
    count_parameters,
    describe_onnx,
    first_images,
    publish,
    rounded,
    write_logits_onnx,
)
from training.common.metrics import Scores, fit_temperature, score
from training.common.profiling import Timing, measure
from training.common.runs import REPORT
from training.common.subsets import Splits, Subset, predict, readable
from training.inference import weights
from training.inference.openvino_network import OpenVinoNetwork
from training.inference.weights import WeightsInfo
from training.models.onnx_tensors import add_tensors

CALIBRATION_IMAGES = 500  # of the 8-bit integers


def export(settings: ClassifierExportSettings) -> str:
    """Publish the best network of a run; the text to print.

    Raises:
        UsageError: no such run, or it has not been evaluated.
        WeightsError: the file's graph and its tensors give different logits.
    """
    run = load_run(settings.run)
    half = settings.precision == "half"
    network = rounded(run.network) if half else run.network
    began = run.config.settings
    if settings.data_dir:
        began = replace(began, data_dir=settings.data_dir)
    splits = finished_splits(settings.run, began)
    info = _measured(info_of(run), network, splits, figures=_figures(settings.run))
    images = first_images((splits.validation or splits.training).loader())
    publish(
        info,
        network,
        settings.out,
        write_onnx=lambda path: write_logits_onnx(path, network, info, half=half),
        check=lambda stem, published: check_logits(stem, published, images),
        half=half,
    )
    return (f"wrote {settings.out / info.name}.onnx: equal logits on "
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


@dataclass(frozen=True, eq=False)
class Version:
    """One version of a network: its file's size, its scores and its speed."""

    name: str
    megabytes: float
    scores: Scores
    temperature: float
    timings: list[Timing]

    @property
    def accuracy(self) -> float:
        """On validation, 0 to 1."""
        return self.scores.accuracy


def compress(settings: CompressSettings) -> str:
    """Publish a compressed version of a model if it keeps its accuracy: the text to print.

    Raises:
        WeightsError: it loses more than --max-drop, or there is no such model.
        DataError, UsageError: see `compression_subsets`.
    """
    stem, info = weights.locate(settings.model)
    training, validation = compression_subsets(info, settings.data, settings.data_dir)
    images = first_images(training.loader(), count=CALIBRATION_IMAGES)
    new, half = replace(info, name=f"{info.name}-{settings.to}"), settings.to == "fp16"
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / new.name
        write_trial(stem, new, trial, half=half)
        if not half:
            _quantise(trial.with_suffix(".onnx"), images.numpy(), list(settings.keep))
        describe_onnx(trial.with_suffix(".onnx"), new)
        before, after = (
            evaluate_version(one.name, path, validation, threads=settings.threads)
            for one, path in ((info, stem), (new, trial))
        )
        text, drop = as_text([before, after]), 100 * (before.accuracy - after.accuracy)
        if drop > settings.max_drop:
            raise WeightsError(
                f"{new.name} loses {drop:.2f} points of accuracy, more than --max-drop "
                f"{settings.max_drop:g}: not published; --keep leaves sensitive layers as they are"
            )
        publish_trial(trial, _with_figures(new, after), settings.out)
    return f"{text}\nwrote {settings.out / new.name}.onnx: {drop:+.2f} points lost"


def write_trial(stem: Path, info: WeightsInfo, target: Path, *, half: bool) -> None:
    """Write the network of `stem` as `target`.onnx, without metadata."""
    network = load_network(stem, info)
    write_logits_onnx(target.with_suffix(".onnx"), network, info, half=half)
    if half:
        add_tensors(target.with_suffix(".onnx"), network, half=half)


def _quantise(path: Path, images: np.ndarray, keep: list[str]) -> None:
    """Replace an ONNX file by its 8-bit version (post-training, Jacob et al. 2017)."""
    logging.getLogger("nncf").setLevel(logging.ERROR)
    import nncf

    nncf.set_log_level(logging.ERROR)
    model = onnx.load(path)
    name = model.graph.input[0].name
    quantised = nncf.quantize(
        model,
        nncf.Dataset([image[None] for image in images], lambda image: {name: image}),
        subset_size=len(images),
        ignored_scope=nncf.IgnoredScope(patterns=keep) if keep else None,
    )
    path.write_bytes(quantised.SerializeToString())


def evaluate_version(name: str, stem: Path, subset: Subset, *, threads: int) -> Version:
    """Run a stem's .onnx file over a subset and time it.

    The temperature is fitted on this very subset, which is the one that calibrates.
    """
    network = OpenVinoNetwork(stem)
    predictions = [
        (torch.from_numpy(network(images.numpy())), labels) for images, labels in subset.loader()
    ]
    logits, labels = readable(*(torch.cat(column) for column in zip(*predictions, strict=True)))
    temperature = fit_temperature(logits, labels)
    return Version(
        name,
        stem.with_suffix(".onnx").stat().st_size / 1e6,
        score(logits, labels, temperature=temperature),
        temperature,
        measure("openvino", stem, threads)[0],
    )


def as_text(versions: list[Version]) -> str:
    """The versions beside each other."""
    lines = [
        f"{'':20s} {'validation':>10s} {'macro-F1':>9s} {'MB':>6s}  ms at batch "
        + " / ".join(str(timing.batch) for timing in versions[0].timings)
    ]
    for version in versions:
        times = " / ".join(f"{timing.median:.2f}" for timing in version.timings)
        lines.append(
            f"{version.name:20s} {version.accuracy:10.2%} {version.scores.macro_f1:9.4f} "
            f"{version.megabytes:6.2f}  {times}"
        )
    return "\n".join(lines)


def _with_figures(info: WeightsInfo, version: Version) -> WeightsInfo:
    metrics: dict[str, Any] = {
        "parameters": info.metrics.get("parameters"),
        "validation": version.scores.summary(),
    }
    return replace(info, temperature=round(version.temperature, 5), metrics=metrics)


def publish_trial(trial: Path, info: WeightsInfo, folder: Path) -> None:
    """Copy a trial to `folder` with its final metadata, and enter it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{info.name}.onnx"
    shutil.copyfile(trial.with_suffix(".onnx"), path)
    describe_onnx(path, info)
    weights.write_manifest(info, folder)
