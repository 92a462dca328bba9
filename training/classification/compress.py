"""Compression of classifiers: half precision, or 8-bit integers by NNCF.

The accuracy of the compressed network is compared with the original's on the validation subset. The
.safetensors file beside a compressed .onnx holds the numbers it was made from.
"""

import logging
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from preprocessing.builders.photo_dataset import read
from preprocessing.errors import DataError, UsageError, WeightsError
from training.classification import fashion_mnist_splits
from training.classification.settings import CompressSettings
from training.common.checkpoints import load_network, save_network
from training.common.metrics import Scores, fit_temperature, score
from training.common.profiling import Timing, measure
from training.common.publish import describe_onnx, first_images, write_logits_onnx
from training.common.subsets import PhotoSubset, Subset, readable
from training.inference import weights
from training.inference.openvino_network import OpenVinoNetwork
from training.inference.weights import WeightsInfo

CALIBRATION_IMAGES = 500


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
        DataError, UsageError: see `open_subsets`.
    """
    stem, info = weights.locate(settings.model)
    training, validation = open_subsets(info, settings.data, settings.data_dir)
    images = first_images(training.loader(), count=CALIBRATION_IMAGES)
    new, half = replace(info, name=f"{info.name}-{settings.to}"), settings.to == "fp16"
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / new.name
        write_trial(stem, new, trial, half=half)
        if not half:
            _quantise(trial.with_suffix(".onnx"), images.numpy(), list(settings.keep))
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
        publish_trial(trial, _with_figures(new, after), settings.out, half=half)
    return f"{text}\nwrote {settings.out / new.name}.onnx: {drop:+.2f} points lost"


def write_trial(stem: Path, info: WeightsInfo, target: Path, *, half: bool) -> None:
    """Write the network of `stem` as `target`.onnx and .safetensors."""
    network = load_network(stem, info)
    write_logits_onnx(target.with_suffix(".onnx"), network, info, half=half)
    save_network(target, network, info, half=half)


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


def open_subsets(
    info: WeightsInfo, source: Path | None, data_dir: Path | None
) -> tuple[Subset, Subset]:
    """Training and validation subset for a network.

    Raises:
        UsageError: it takes photos, and none are given.
        DataError: the photos have no validation split.
    """
    if info.network_input == "fashion-mnist":
        return fashion_mnist_splits.training_subsets(data_dir, size=info.size)
    if source is None:
        raise UsageError(f"{info.name} takes photos: give --data DIR, as "
                         "preprocessing.builders.photo_dataset writes it")  # fmt: skip
    found = read(source, max_bad=0.01)
    training, validation = (
        PhotoSubset(found.of(split), info.classes, info.size)
        for split in ("training", "validation")
    )
    if not len(training) or not len(validation):
        raise DataError(f"{source} needs a training and a validation split: see "
                        "preprocessing.builders.photo_dataset")  # fmt: skip
    return training, validation


def _with_figures(info: WeightsInfo, version: Version) -> WeightsInfo:
    metrics: dict[str, Any] = {
        "parameters": info.metrics.get("parameters"),
        "validation": version.scores.summary(),
    }
    return replace(info, temperature=round(version.temperature, 5), metrics=metrics)


def publish_trial(trial: Path, info: WeightsInfo, folder: Path, *, half: bool) -> None:
    """Copy a trial's two files to `folder` with their final metadata, and enter them."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{info.name}.onnx"
    shutil.copyfile(trial.with_suffix(".onnx"), path)
    describe_onnx(path, info)
    save_network(folder / info.name, load_network(trial, info), info, half=half)
    weights.write_manifest(info, folder)
