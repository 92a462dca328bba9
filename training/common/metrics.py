"""Metrics of classifiers: pure functions of logits, probabilities and labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from preprocessing.datasets.attribute_table import MISSING, Attribute
from training.inference.probabilities import split_outputs

CALIBRATION_BINS = 15


@dataclass(frozen=True, eq=False)
class Calibration:
    """Predictions by confidence, in equally wide bins: counts, mean confidence and accuracy."""

    counts: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray

    @property
    def error(self) -> float:
        """Expected calibration error: mean gap, weighted by the bins' sizes (Guo et al. 2017)."""
        gaps = np.abs(self.accuracy - self.confidence)
        return float((gaps * self.counts).sum() / self.counts.sum())


@dataclass(frozen=True, eq=False)
class Scores:
    """All metrics of one model on one data set; fractions are of 0 to 1.

    Attributes:
        balanced_accuracy, macro_f1: mean recall and F1 of the classes that occur in the labels.
        interval: 95 % Wilson score interval of the accuracy.
        precision, recall, f1: float (classes,).
        confusion: int (classes, classes), a row a true class.
        calibration: over 15 bins, after division of the logits by the temperature.
    """

    count: int
    accuracy: float
    interval: tuple[float, float]
    balanced_accuracy: float
    macro_f1: float
    calibration: Calibration
    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    confusion: np.ndarray

    @property
    def ece(self) -> float:
        """Expected calibration error, 0 to 1."""
        return self.calibration.error

    def summary(self) -> dict[str, float | int | list[float]]:
        """The single metrics, ready for JSON."""
        return {
            "count": self.count,
            "accuracy": round(self.accuracy, 5),
            "accuracy_interval": [round(bound, 5) for bound in self.interval],
            "balanced_accuracy": round(self.balanced_accuracy, 5),
            "macro_f1": round(self.macro_f1, 5),
            "ece": round(self.ece, 5),
        }


def score(logits: np.ndarray, labels: np.ndarray, *, temperature: float = 1.0) -> Scores:
    """Score logits (N, classes) against labels (N,), calibrated by `temperature`."""
    classes, occurring = np.arange(logits.shape[1]), np.unique(labels)
    predicted = logits.argmax(axis=1)
    right = int((predicted == labels).sum())
    interval = binomtest(right, len(labels)).proportion_ci(method="wilson")
    precision, recall, f1, _ = precision_recall_fscore_support(
        labels, predicted, labels=classes, zero_division=0
    )
    return Scores(
        count=len(labels),
        accuracy=right / len(labels),
        interval=(interval.low, interval.high),
        balanced_accuracy=float(recall[occurring].mean()),
        macro_f1=float(f1[occurring].mean()),
        calibration=calibrate(softmax(logits / temperature, axis=1), labels),
        precision=precision,
        recall=recall,
        f1=f1,
        confusion=confusion_matrix(labels, predicted, labels=classes),
    )


def calibrate(probabilities: np.ndarray, labels: np.ndarray) -> Calibration:
    """Confidence against accuracy of probabilities (N, classes) and labels (N,)."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    counts = np.bincount(bins, minlength=CALIBRATION_BINS)
    filled = np.maximum(counts, 1)
    return Calibration(
        counts,
        np.bincount(bins, weights=confidence, minlength=CALIBRATION_BINS) / filled,
        np.bincount(bins, weights=right, minlength=CALIBRATION_BINS) / filled,
    )


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The divisor of the logits with the lowest log loss (Guo et al. 2017, arXiv 1706.04599)."""

    def log_loss(log_temperature: float) -> float:
        scaled = log_softmax(logits / np.exp(log_temperature), axis=1)
        return -float(scaled[np.arange(len(labels)), labels].mean())

    return float(np.exp(minimize_scalar(log_loss, bounds=(-3, 3), method="bounded").x))


@dataclass(frozen=True, eq=False)
class AttributeScores:
    """One attribute's scores over the pictures whose class is known.

    Attributes:
        scores: of the network.
        baseline: of always predicting the most frequent class of training.
    """

    attribute: Attribute
    scores: Scores
    baseline: Scores

    def summary(self) -> dict[str, float | int]:
        """The single figures, ready for JSON."""
        return {
            "count": self.scores.count,
            **{
                f"{prefix}{name}": round(getattr(scores, name), 5)
                for prefix, scores in (("", self.scores), ("baseline_", self.baseline))
                for name in ("accuracy", "balanced_accuracy", "macro_f1")
            },
        }


def score_attributes(
    logits: np.ndarray,
    values: np.ndarray,
    attributes: Sequence[Attribute],
    *,
    modes: np.ndarray,
    excluded: dict[str, str] | None = None,
) -> list[AttributeScores]:
    """Compare logits (N, all classes) with classes (N, attributes), where these are known.

    Args:
        modes: int (attributes,), the predictions of the baseline.
        excluded: codes by attribute that neither count as truth nor are predicted.
    """
    found = []
    outputs = split_outputs(logits, attributes)
    for attribute, own, truth, mode in zip(attributes, outputs, values.T, modes, strict=True):
        known, constant = truth != MISSING, int(mode)
        code = (excluded or {}).get(attribute.name)
        if code is not None:
            number = attribute.codes.index(code)
            known &= truth != number
            own = own.copy()
            own[:, number] = -np.inf
            constant = int(np.bincount(truth[known]).argmax()) if known.any() else constant
        if known.any():
            always = np.full((int(known.sum()), len(attribute)), -np.inf, np.float32)
            always[:, constant] = 0
            found.append(AttributeScores(
                attribute, score(own[known], truth[known]), score(always, truth[known])
            ))  # fmt: skip
    return found


def mean_f1(found: Sequence[AttributeScores]) -> float:
    """Mean macro-F1 over the attributes; nan for none."""
    return float(np.mean([one.scores.macro_f1 for one in found])) if found else float("nan")


def attribute_table(
    found: Sequence[AttributeScores], *, excluded: dict[str, str] | None = None
) -> str:
    """Return the scores as Markdown; `excluded` as in `score_attributes`."""
    lines = [
        "| attribute | pictures | accuracy | balanced | macro-F1 | baseline: accuracy | balanced "
        "| macro-F1 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in found:
        attribute, code = one.attribute, (excluded or {}).get(one.attribute.name)
        name = attribute.name
        if code is not None:
            name += f" (without {attribute.titles[attribute.codes.index(code)]})"
        figures = " | ".join(
            f"{scores.accuracy:.1%} | {scores.balanced_accuracy:.1%} | {scores.macro_f1:.3f}"
            for scores in (one.scores, one.baseline)
        )
        lines.append(f"| {name} | {one.scores.count} | {figures} |")
    return "\n".join(lines)
