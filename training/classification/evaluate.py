"""Evaluation of classifiers, on the Fashion-MNIST test set or on photos.

Writes report.md with every figure, report.json, confusion.png, calibration.png, top_losses.csv,
mistakes.png and gradcam.png.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from captum.attr import LayerAttribution, LayerGradCam
from torch import nn

from preprocessing.builders.photo_dataset import read_source
from preprocessing.datasets.samples import Sample, refuse_bad
from preprocessing.errors import DataError, UsageError
from preprocessing.images.pictures import picture_paths
from preprocessing.labels import OTHER
from training.classification import report
from training.classification.data import (
    NETWORK_INPUT,
    cut_out,
    finished_splits,
    known_photos,
    test_subset,
)
from training.classification.settings import ClassifierEvaluateSettings, FitSettings
from training.common.checkpoints import load_best, load_model, new_network
from training.common.metrics import Scores, fit_temperature, score
from training.common.runs import RunConfig, read_config
from training.common.subsets import UNREADABLE, PhotoSubset, Splits, Subset, predict, readable

EXPLAINED = 24  # pictures on the Grad-CAM sheet


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """The best network of a run, ready to evaluate, with what it was made with."""

    network: nn.Module
    config: RunConfig[FitSettings]


def load_run(folder: Path) -> FinishedRun:
    """The finished run of a folder.

    Raises:
        UsageError: it is no such run, it has no checkpoint yet, or its network has changed since.
    """
    config = read_config(folder, FitSettings)
    network = new_network(config.settings.recipe, len(config.classes))
    return FinishedRun(load_best(folder, network), config)


@dataclass(frozen=True, eq=False)
class CalibratedNetwork:
    """A network with what its evaluation needs to know.

    Attributes:
        network_input: row of NETWORK_INPUTS.
        temperature: divisor of the logits, fitted on a validation subset.
    """

    network: nn.Module
    name: str
    classes: tuple[str, ...]
    network_input: str
    size: int
    temperature: float


def load_calibrated(model: str) -> CalibratedNetwork:
    """A committed model's name, a weight file or a run folder.

    Weight files carry their temperature; that of a run is fitted on its validation subset.

    Raises:
        WeightsError, UsageError, DataError: see `locate`, `load_run` and `fashion_mnist.load`.
    """
    if Path(model).is_dir():
        return calibrated_run(Path(model))[0]
    network, info = load_model(model)
    return CalibratedNetwork(
        network, info.name, info.classes, info.network_input, info.size, info.temperature
    )


def calibrated_run(folder: Path) -> tuple[CalibratedNetwork, Splits]:
    """A run's best network, with the data set that it learnt from and is evaluated on."""
    run = load_run(folder)
    settings, recipe = run.config.settings, run.config.settings.recipe
    splits = finished_splits(folder, settings)
    temperature = 1.0
    if splits.validation is not None:
        temperature = fit_temperature(*readable(*predict(run.network, splits.validation.loader())))
    network_input = NETWORK_INPUT[recipe.channels]
    network = CalibratedNetwork(
        run.network, settings.model, run.config.classes, network_input, recipe.size, temperature
    )
    return network, splits


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A network's predictions for a subset of a data set.

    Attributes:
        kept: int (N,), places in the subset of the pictures that could be read.
        labels: int64 (N,); logits: float32 (N, classes).
        measured_on: the subset's name, for people.
    """

    network: CalibratedNetwork
    subset: Subset
    kept: np.ndarray
    labels: np.ndarray
    logits: np.ndarray
    scores: Scores
    measured_on: str


def evaluate(settings: ClassifierEvaluateSettings) -> str:
    """Evaluate a model, and write its report; the text to print.

    Raises:
        DataError, UsageError, WeightsError: nothing there, or it does not fit the model.
    """
    network = load_calibrated(settings.model)
    subset, measured_on = _chosen(settings, network)
    result = evaluate_on(network, subset, measured_on=measured_on, max_bad=settings.max_bad)
    folder = settings.folder(network.name)
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    if settings.empty:
        lines.append(str(evaluate_against(result, settings.empty, folder)))
    lines.insert(0, write_report(result, folder))
    if settings.json:
        report.write_json(settings.json, figures(result))
    lines.append(f"wrote {folder}/report.md and its pictures, report.json, top_losses.csv")
    return "\n".join(lines)


def _chosen(settings: ClassifierEvaluateSettings, network: CalibratedNetwork) -> tuple[Subset, str]:
    """The subset to evaluate on, and its name."""
    if settings.data:
        return photos_for(network, settings.data, split=settings.split, classes=settings.classes)
    if network.network_input != "fashion-mnist":
        raise UsageError(f"{network.name} takes photos: give --data DIR or CSV")
    subset = test_subset(settings.data_dir, limit=settings.limit_test, size=network.size)
    return subset, "the Fashion-MNIST test set"


def photos_for(
    network: CalibratedNetwork, source: Path, *, split: str | None, classes: Sequence[str]
) -> tuple[Subset, str]:
    """Photos for a network, and their name.

    Without `split` it is the test split where there is one, else the validation split, else all.

    Raises:
        DataError: nothing there, or labels that the network does not know.
    """
    cutting = network.network_input == "fashion-mnist"
    samples = known_photos(source) if cutting else read_source(source)
    if classes:
        samples = [sample for sample in samples if sample.label in classes]
    there = [name for name in ("test", "validation") if any(s.split == name for s in samples)]
    chosen = split or (there[0] if there else None)
    if chosen:
        samples = [sample for sample in samples if sample.split == chosen]
    if not samples:
        wanted = ", ".join(classes) or "any class"
        raise DataError(f"{source} has no {chosen or ''} pictures of {wanted}")
    name = f"{chosen or 'all'} of {source}"
    if cutting:
        return cut_out(samples), name
    _refuse_unknown(samples, network)
    return PhotoSubset(samples, network.classes, network.size), name


def _refuse_unknown(samples: Sequence[Sample], network: CalibratedNetwork) -> None:
    unknown = sorted({sample.label for sample in samples} - set(network.classes))
    if unknown:
        raise DataError(
            f"{network.name} does not know {', '.join(unknown)}: it knows "
            f"{', '.join(network.classes)}; choose classes with --classes"
        )


def evaluate_on(
    network: CalibratedNetwork, subset: Subset, *, measured_on: str, max_bad: float = 0.01
) -> Evaluation:
    """Score a network on a subset.

    Raises:
        DataError: more than the fraction `max_bad` of the pictures cannot be read.
    """
    logits, labels = (tensor.numpy() for tensor in predict(network.network, subset.loader()))
    kept = np.flatnonzero(labels != UNREADABLE)
    bad = np.flatnonzero(labels == UNREADABLE)
    first = subset.name(int(bad[0])) if len(bad) else ""
    refuse_bad(len(bad), len(labels), max_bad=max_bad, first=first)
    logits, labels = logits[kept], labels[kept]
    scores = score(logits, labels, temperature=network.temperature)
    return Evaluation(network, subset, kept, labels, logits, scores, measured_on)


def evaluate_run(folder: Path) -> str:
    """Score a run's best checkpoint on its test subset, or its validation subset without one.

    Writes the report into the run's folder and returns its text.
    """
    network, splits = calibrated_run(folder)
    subset, measured_on = splits.test, "test"
    if subset is None:
        subset, measured_on = splits.validation, "validation"
    if subset is None:
        raise UsageError(f"{folder} was trained on all its photos: it has none to evaluate on")
    return write_report(evaluate_on(network, subset, measured_on=measured_on, max_bad=1.0), folder)


def write_report(evaluation: Evaluation, folder: Path) -> str:
    """Write everything about an evaluation into a folder; the text of its class table."""
    folder.mkdir(parents=True, exist_ok=True)
    network, scores, subset = evaluation.network, evaluation.scores, evaluation.subset
    text = report.class_table(scores, network.classes)
    report.write_json(folder / "report.json", figures(evaluation))
    report.plot_confusion(folder / "confusion.png", scores, network.classes)
    report.plot_calibration(folder / "calibration.png", scores)
    losses = report.top_losses(
        evaluation.logits / network.temperature, evaluation.labels, network.classes
    )
    losses = [replace(row, index=int(evaluation.kept[row.index])) for row in losses]
    report.write_losses(folder / "top_losses.csv", losses, name=subset.name)
    wrong = [row for row in losses if row.true != row.predicted]
    report.write_mistakes(folder / "mistakes.png", wrong, picture=subset.picture)
    report.write_grad_cam(
        folder / "gradcam.png",
        wrong[:EXPLAINED],
        picture=subset.picture,
        explain=lambda image, label: grad_cam(
            network.network, image, label=network.classes.index(label)
        ),
    )
    title = f"{network.name} on {evaluation.measured_on}"
    (folder / "report.md").write_text(report.as_markdown(title, text, folder))
    return text


def figures(evaluation: Evaluation) -> dict[str, object]:
    """The single figures of an evaluation; fractions are of 0 to 1."""
    return {
        "model": evaluation.network.name,
        "measured_on": evaluation.measured_on,
        "temperature": round(evaluation.network.temperature, 5),
        "unreadable": len(evaluation.subset) - len(evaluation.kept),
        **evaluation.scores.summary(),
    }


def evaluate_against(evaluation: Evaluation, empty: Path, folder: Path) -> report.Separation:
    """Separate the garments of an evaluation from pictures without any; see `write_roc`.

    Raises:
        DataError: no such pictures.
        UsageError: the network does not take photos.
    """
    network = evaluation.network
    if network.network_input == "fashion-mnist":
        raise UsageError(f"--empty: {network.name} takes garments that were cut out, not photos")
    samples = [Sample(path, network.classes[0]) for path in picture_paths(empty)]
    if not samples:
        raise DataError(f"no pictures in --empty {empty}")
    subset = PhotoSubset(samples, network.classes, network.size)
    others = evaluate_on(network, subset, measured_on=str(empty)).logits
    labels = np.array(network.classes)[evaluation.labels]
    garments, rest = (
        report.garment_confidence(logits, network.classes, temperature=network.temperature)
        for logits in (evaluation.logits[labels != OTHER], others)
    )
    return report.write_roc(folder, garments, rest)


def grad_cam(network: nn.Module, image: np.ndarray, *, label: int) -> np.ndarray:
    """Heat map float32 (S, S) of 0 to 1: evidence for a class in the image uint8 (C, S, S)."""
    network = network.eval()
    layer = [m for m in network.modules() if isinstance(m, nn.Conv2d)][-1]
    batch = torch.from_numpy(image)[None].float().requires_grad_()
    heat = LayerGradCam(network, layer).attribute(batch, target=label, relu_attributions=True)
    heat = LayerAttribution.interpolate(heat, image.shape[-2:], "bilinear")
    heat = heat.detach()[0, 0].clamp(min=0)
    return (heat / heat.max().clamp(min=1e-9)).numpy()
