"""Evaluation of classifiers, on the Fashion-MNIST test set or on photos.

Writes report.md with every figure, report.json, confusion.png, calibration.png, top_losses.csv,
mistakes.png and gradcam.png.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from torch import nn

from preprocessing.errors import UsageError
from preprocessing.labels import OTHER
from training.classification import report
from training.classification.data import (
    NETWORK_INPUT,
    chosen_photos,
    empty_photos,
    finished_splits,
    test_subset,
)
from training.classification.grad_cam import grad_cam
from training.classification.settings import ClassifierEvaluateSettings, ClassifierFitSettings
from training.common.checkpoints import base_info, load_best, load_model, new_network
from training.common.metrics import Scores, fit_temperature, score
from training.common.runs import RunConfig, read_config
from training.common.subsets import Splits, Subset, predict, predict_readable, readable
from training.inference.weights import WeightsInfo

EXPLAINED = 24  # pictures on the Grad-CAM sheet


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """The best network of a run, ready to evaluate, with what it was made with."""

    folder: Path
    network: nn.Module
    config: RunConfig[ClassifierFitSettings]


def load_run(folder: Path) -> FinishedRun:
    """The finished run of a folder.

    Raises:
        UsageError: it is no such run, it has no checkpoint yet, or its network has changed since.
    """
    config = read_config(folder, ClassifierFitSettings)
    network = new_network(config.settings.recipe, len(config.classes))
    return FinishedRun(folder, load_best(folder, network), config)


def info_of(run: FinishedRun) -> WeightsInfo:
    """Metadata of a run's network, not yet calibrated."""
    recipe = run.config.settings.recipe
    info = base_info(run.config, run.network, network_input=NETWORK_INPUT[recipe.channels])
    return replace(info, channels=recipe.channels, head=recipe.head)


@dataclass(frozen=True, eq=False)
class Model:
    """A network to evaluate, with its metadata; the temperature calibrates its logits."""

    network: nn.Module
    info: WeightsInfo


def load(model: str) -> Model:
    """A committed model's name, a weight file or a run folder.

    Weight files carry their temperature; that of a run is fitted on its validation subset.

    Raises:
        WeightsError, UsageError, DataError: see `locate`, `load_run` and `fashion_mnist.load`.
    """
    return (
        calibrated(load_run(Path(model)))[0] if Path(model).is_dir() else Model(*load_model(model))
    )


def calibrated(run: FinishedRun) -> tuple[Model, Splits]:
    """A run's network, with the data set that it learnt from and is evaluated on."""
    splits, temperature = finished_splits(run.folder, run.config.settings), 1.0
    if splits.validation is not None:
        temperature = fit_temperature(*readable(*predict(run.network, splits.validation.loader())))
    return Model(run.network, replace(info_of(run), temperature=temperature)), splits


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A model's predictions for a subset of a data set.

    Attributes:
        kept: int (N,), places in the subset of the pictures that could be read.
        labels: int64 (N,); logits: float32 (N, classes).
        measured_on: the subset's name, for people.
    """

    model: Model
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
    model = load(settings.model)
    subset, measured_on = _chosen(settings, model.info)
    result = evaluate_on(model, subset, measured_on=measured_on, max_bad=settings.max_bad)
    folder = settings.folder(model.info.name)
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    if settings.empty:
        lines.append(str(evaluate_against(result, settings.empty, folder)))
    lines.insert(0, write_report(result, folder))
    if settings.json:
        report.write_json(settings.json, figures(result))
    lines.append(f"wrote {folder}/report.md and its pictures, report.json, top_losses.csv")
    return "\n".join(lines)


def _chosen(settings: ClassifierEvaluateSettings, info: WeightsInfo) -> tuple[Subset, str]:
    """The subset to evaluate on, and its name."""
    if settings.data:
        return chosen_photos(settings, settings.data, info)
    if info.network_input != "fashion-mnist":
        raise UsageError(f"{info.name} takes photos: give --data DIR or CSV")
    subset = test_subset(settings.data_dir, limit=settings.limit_test, size=info.size)
    return subset, "the Fashion-MNIST test set"


def evaluate_on(
    model: Model, subset: Subset, *, measured_on: str, max_bad: float = 0.01
) -> Evaluation:
    """Score a model on a subset.

    Raises:
        DataError: more than the fraction `max_bad` of the pictures cannot be read.
    """
    kept, logits, labels = predict_readable(model.network, subset, max_bad=max_bad)
    scores = score(logits, labels, temperature=model.info.temperature)
    return Evaluation(model, subset, kept, labels, logits, scores, measured_on)


def evaluate_run(folder: Path) -> str:
    """Score a run's best checkpoint on its test subset, or its validation subset without one.

    Writes the report into the run's folder and returns its text.
    """
    model, splits = calibrated(load_run(folder))
    subset, measured_on = splits.test, "test"
    if subset is None:
        subset, measured_on = splits.validation, "validation"
    if subset is None:
        raise UsageError(f"{folder} was trained on all its photos: it has none to evaluate on")
    return write_report(evaluate_on(model, subset, measured_on=measured_on, max_bad=1.0), folder)


def write_report(evaluation: Evaluation, folder: Path) -> str:
    """Write everything about an evaluation into a folder; the text of its class table."""
    folder.mkdir(parents=True, exist_ok=True)
    info, scores, subset = evaluation.model.info, evaluation.scores, evaluation.subset
    text = report.class_table(scores, info.classes)
    report.write_json(folder / "report.json", figures(evaluation))
    report.plot_confusion(folder / "confusion.png", scores, info.classes)
    report.plot_calibration(folder / "calibration.png", scores)
    losses = report.top_losses(
        evaluation.logits / info.temperature, evaluation.labels, info.classes
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
            evaluation.model.network, image, label=info.classes.index(label)
        ),
    )
    title = f"{info.name} on {evaluation.measured_on}"
    (folder / "report.md").write_text(report.as_markdown(title, text, folder))
    return text


def figures(evaluation: Evaluation) -> dict[str, object]:
    """The single figures of an evaluation; fractions are of 0 to 1."""
    return {
        "model": evaluation.model.info.name,
        "measured_on": evaluation.measured_on,
        "temperature": round(evaluation.model.info.temperature, 5),
        "unreadable": len(evaluation.subset) - len(evaluation.kept),
        **evaluation.scores.summary(),
    }


def evaluate_against(evaluation: Evaluation, empty: Path, folder: Path) -> report.Separation:
    """Separate the garments of an evaluation from pictures without any; see `write_roc`.

    Raises:
        DataError: no such pictures.
        UsageError: the network does not take photos.
    """
    info = evaluation.model.info
    if info.network_input == "fashion-mnist":
        raise UsageError(f"--empty: {info.name} takes garments that were cut out, not photos")
    subset = empty_photos(empty, info)
    others = evaluate_on(evaluation.model, subset, measured_on=str(empty)).logits
    labels = np.array(info.classes)[evaluation.labels]
    garments, rest = (
        report.garment_confidence(logits, info.classes, temperature=info.temperature)
        for logits in (evaluation.logits[labels != OTHER], others)
    )
    return report.write_roc(folder, garments, rest)
