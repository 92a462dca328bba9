"""The report of an evaluation: tables, charts and sheets of pictures in one folder."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import matplotlib.pyplot as plt
import numpy as np
from scipy.special import log_softmax
from sklearn.metrics import roc_auc_score, roc_curve

from preprocessing.images.contact_sheets import contact_sheet
from preprocessing.images.pictures import write_image
from preprocessing.labels import CONFIDENCE_THRESHOLD, OTHER
from training.common.metrics import Scores
from training.common.reports import save_figure
from training.inference.probabilities import softmax


def class_table(scores: Scores, classes: Sequence[str]) -> str:
    """Precision, recall, F1 and support of each class as fixed-width text."""
    lines = [f"{'class':14s} precision  recall      f1  images"]
    counts = scores.confusion.sum(axis=1)
    for row in zip(classes, scores.precision, scores.recall, scores.f1, counts, strict=True):
        if row[-1]:
            lines.append("{:14s} {:9.4f} {:7.4f} {:7.4f} {:7d}".format(*row))
    low, high = scores.interval
    lines.append(
        f"accuracy {scores.accuracy:.2%} (95 % interval {low:.2%} to {high:.2%}, "
        f"n = {scores.count}), balanced accuracy {scores.balanced_accuracy:.2%}, "
        f"macro-F1 {scores.macro_f1:.4f}, "
        f"expected calibration error {scores.ece:.2%}"
    )
    return "\n".join(lines)


def plot_confusion(path: Path, scores: Scores, classes: Sequence[str]) -> None:
    """The confusion matrix, each row as fractions of its true class."""
    fractions = scores.confusion / np.maximum(1, scores.confusion.sum(axis=1, keepdims=True))
    figure, axes = plt.subplots(figsize=(8, 7), layout="constrained")
    axes.imshow(fractions, cmap="Blues", vmin=0, vmax=1)
    ticks = range(len(classes))
    axes.set_xticks(ticks, classes, rotation=45, ha="right")
    axes.set_yticks(ticks, classes)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(f"accuracy {scores.accuracy:.2%}, n = {scores.count}")
    for row, column in np.argwhere(scores.confusion):
        colour = "white" if fractions[row, column] > 0.5 else "black"
        axes.text(
            column,
            row,
            scores.confusion[row, column],
            ha="center",
            va="center",
            color=colour,
            fontsize=8,
        )
    save_figure(figure, path)


@dataclass(frozen=True)
class Loss:
    """The prediction for one picture, and its loss.

    Attributes:
        index: place in the subset.
        true, predicted: names of the classes.
        confidence: calibrated probability of the predicted class.
        loss: negative log of the true class's probability.
    """

    index: int
    true: str
    predicted: str
    confidence: float
    loss: float


def top_losses(
    logits: np.ndarray, labels: np.ndarray, classes: Sequence[str], *, count: int = 200
) -> list[Loss]:
    """The predictions with the highest losses, among which wrong labels gather."""
    log_probabilities = log_softmax(logits, axis=1)
    losses = -log_probabilities[np.arange(len(labels)), labels]
    predicted = logits.argmax(axis=1)
    confidence = np.exp(log_probabilities.max(axis=1))
    worst = np.argsort(-losses, kind="stable")[:count]
    return [
        Loss(
            index=int(i),
            true=classes[labels[i]],
            predicted=classes[predicted[i]],
            confidence=float(confidence[i]),
            loss=float(losses[i]),
        )
        for i in worst
    ]


def write_losses(path: Path, losses: Sequence[Loss], *, name: Callable[[int], str]) -> None:
    """The losses as CSV, `name` giving the name of a picture."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("picture", "true", "predicted", "confidence", "loss"))
        for row in losses:
            values = f"{row.confidence:.4f}", f"{row.loss:.4f}"
            writer.writerow((name(row.index), row.true, row.predicted, *values))


def write_mistakes(
    path: Path, wrong: Sequence[Loss], *, picture: Callable[[int], np.ndarray], count: int = 96
) -> None:
    """The most confidently wrong pictures, captioned "true > predicted, confidence"."""
    wrong = wrong[:count]
    _write_sheet(path, [as_image(picture(row.index)) for row in wrong], wrong)


def write_grad_cam(
    path: Path,
    losses: Sequence[Loss],
    *,
    picture: Callable[[int], np.ndarray],
    explain: Callable[[np.ndarray, str], np.ndarray],
) -> None:
    """Pictures with the evidence for the predicted class in red.

    Args:
        explain: from a picture (C, S, S) and a class to a heat map float32 (S, S) of 0 to 1.
    """
    tiles = []
    for row in losses:
        planes = picture(row.index)
        heat = (255 * explain(planes, row.predicted)).astype(np.uint8)
        colours = cv2.applyColorMap(heat, cv2.COLORMAP_JET)
        tiles.append(cv2.addWeighted(as_image(planes), 0.55, colours, 0.45, 0))
    _write_sheet(path, tiles, losses)


def as_image(planes: np.ndarray) -> np.ndarray:
    """A network's input uint8 (C, S, S) as a BGR image."""
    image = np.ascontiguousarray(planes.transpose(1, 2, 0))
    return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if image.shape[2] == 1 else image


def _write_sheet(path: Path, tiles: Sequence[np.ndarray], losses: Sequence[Loss]) -> None:
    if not tiles:
        return
    scale = max(1, round(112 / tiles[0].shape[0]))
    captions = [f"{row.true[:7]}>{row.predicted[:7]} {row.confidence:.2f}" for row in losses]
    columns = 12 if scale > 1 else 8
    write_image(path, contact_sheet(tiles, columns=columns, captions=captions, scale=scale))


def plot_calibration(path: Path, scores: Scores) -> None:
    """Accuracy against confidence, and the fraction of predictions in each bin."""
    figure, axes = plt.subplots(figsize=(5, 4.5), layout="constrained")
    bins = scores.calibration
    filled = bins.counts > 0
    width = 1 / len(bins.counts)
    centres = (np.arange(len(bins.counts)) + 0.5) * width
    axes.bar(
        centres,
        bins.counts / bins.counts.sum(),
        width,
        color="0.85",
        label="fraction of predictions",
    )
    axes.plot([0, 1], [0, 1], color="0.5", linestyle="--", label="perfect")
    axes.plot(bins.confidence[filled], bins.accuracy[filled], marker="o", label="accuracy")
    axes.set_xlabel("confidence")
    axes.set_title(f"expected calibration error {scores.ece:.2%}, n = {scores.count}")
    axes.legend(loc="upper left")
    save_figure(figure, path)


def plot_roc(
    path: Path, accepted: np.ndarray, kept: np.ndarray, *, at: tuple[float, float]
) -> None:
    """Fraction of garments that are kept against that of other pictures, a point marked."""
    figure, axes = plt.subplots(figsize=(5, 4.5), layout="constrained")
    axes.plot(accepted, kept)
    axes.plot(*at, "o", label=f"the live app: {at[1]:.1%} and {at[0]:.1%}")
    axes.set_xlabel("fraction of other pictures accepted as garments")
    axes.set_ylabel("fraction of garments kept")
    axes.set_xlim(-0.002, 0.1)
    axes.legend(loc="lower right")
    save_figure(figure, path)


PICTURES = ("confusion.png", "calibration.png", "roc.png", "mistakes.png", "gradcam.png",
            "curves.png")  # fmt: skip


def as_markdown(title: str, text: str, folder: Path) -> str:
    """One page of an evaluation: the class table and the folder's pictures."""
    pictures = [f"![{name}]({name})" for name in PICTURES if (folder / name).is_file()]
    return "\n\n".join((f"# {title}", f"```\n{text}\n```", *pictures)) + "\n"


def write_json(path: Path, figures: Mapping[str, object]) -> None:
    """Write single figures as JSON."""
    path.write_text(json.dumps(figures, indent=1) + "\n")


ACCEPTED = 0.05  # fraction of other pictures that may be accepted as garments


@dataclass(frozen=True)
class Separation:
    """Separation of garments from other pictures.

    Attributes:
        garments, others: pictures of each.
        auroc: probability that a garment scores above another picture.
        threshold: score that the fraction ACCEPTED of the others reaches.
        rejected: fraction of the garments below it.
        kept, accepted: fractions of garments and of the others that the live app labels by default.
    """

    garments: int
    others: int
    auroc: float
    threshold: float
    rejected: float
    kept: float
    accepted: float

    def __str__(self) -> str:
        return (
            f"garments against other pictures (n {self.garments} and {self.others}): AUROC "
            f"{self.auroc:.4f}; where {ACCEPTED:.0%} of the others are accepted, "
            f"{self.rejected:.1%} of the garments are rejected; the live app labels "
            f"{self.kept:.1%} of the garments and {self.accepted:.1%} of the others"
        )


@dataclass(frozen=True, eq=False)
class Confidence:
    """Confidence for pictures.

    Attributes:
        scores: of a garment in the picture, float (N,).
        labelled: bool (N,), True where the live app labels it by default.
    """

    scores: np.ndarray
    labelled: np.ndarray


def garment_confidence(
    logits: np.ndarray, classes: Sequence[str], *, temperature: float
) -> Confidence:
    """Confidence that there is a garment: 1 - p(other), else the largest probability.

    Args:
        logits: float32 (N, classes).
    """
    probabilities = softmax(logits / temperature)
    best, scores = probabilities.argmax(axis=1), probabilities.max(axis=1)
    labelled = (scores >= CONFIDENCE_THRESHOLD) & (np.array(classes)[best] != OTHER)
    if OTHER in classes:
        scores = 1 - probabilities[:, list(classes).index(OTHER)]
    return Confidence(scores, labelled)


def separation(garments: Confidence, others: Confidence) -> Separation:
    """How well garments are separated from other pictures."""
    threshold = float(np.quantile(others.scores, 1 - ACCEPTED))
    truth, scores = _pooled(garments, others)
    return Separation(
        garments=len(garments.scores),
        others=len(others.scores),
        auroc=float(roc_auc_score(truth, scores)),
        threshold=threshold,
        rejected=float((garments.scores <= threshold).mean()),
        kept=float(garments.labelled.mean()),
        accepted=float(others.labelled.mean()),
    )


def _pooled(garments: Confidence, others: Confidence) -> tuple[np.ndarray, np.ndarray]:
    """1 for garments and 0 for others, (N + M,), and the scores of all."""
    truth = np.repeat((1, 0), (len(garments.scores), len(others.scores)))
    return truth, np.concatenate([garments.scores, others.scores])


def write_roc(folder: Path, garments: Confidence, others: Confidence) -> Separation:
    """Write out_of_distribution.json and roc.png into a folder."""
    found = separation(garments, others)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(asdict(found), indent=1)
    (folder / "out_of_distribution.json").write_text(text + "\n")
    accepted, kept, _ = roc_curve(*_pooled(garments, others))
    plot_roc(folder / "roc.png", accepted, kept, at=(found.accepted, found.kept))
    return found
