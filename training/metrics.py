"""Figures that judge a classifier. Pure functions on probabilities and labels."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from scipy.stats import binomtest
from sklearn.metrics import (
    confusion_matrix,
    precision_recall_fscore_support,
)

CALIBRATION_BINS = 15


@dataclass(frozen=True, eq=False)
class Scores:
    """All figures of one model on one data set; shares are of 0 to 1.

    Attributes:
        balanced_accuracy, macro_f1: mean recall and F1 of the classes that occur in the labels.
        interval: 95 % Wilson score interval of the accuracy.
        precision, recall, f1: float (classes,).
        confusion: int (classes, classes), a row a true class.
        ece: expected calibration error over 15 equally wide bins (Guo et al. 2017).
    """

    count: int
    accuracy: float
    interval: tuple[float, float]
    balanced_accuracy: float
    macro_f1: float
    ece: float
    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    confusion: np.ndarray

    def summary(self) -> dict[str, float | int | list[float]]:
        """The single figures, ready for JSON."""
        return {
            "count": self.count,
            "accuracy": round(self.accuracy, 5),
            "accuracy_interval": [round(bound, 5) for bound in self.interval],
            "balanced_accuracy": round(self.balanced_accuracy, 5),
            "macro_f1": round(self.macro_f1, 5),
            "ece": round(self.ece, 5),
        }


def score(logits: np.ndarray, labels: np.ndarray, *, temperature: float = 1.0) -> Scores:
    """Judge logits (N, classes) against labels (N,), calibrated by `temperature`."""
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
        ece=calibration_error(softmax(logits / temperature, axis=1), labels),
        precision=precision,
        recall=recall,
        f1=f1,
        confusion=confusion_matrix(labels, predicted, labels=classes),
    )


def calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean gap between confidence and accuracy, weighted by the bins' sizes."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = np.bincount(bins, weights=right - confidence, minlength=CALIBRATION_BINS)
    return float(np.abs(gaps).sum() / len(labels))


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The divisor of the logits with the lowest log loss (Guo et al. 2017, arXiv 1706.04599)."""

    def log_loss(log_temperature: float) -> float:
        scaled = log_softmax(logits / np.exp(log_temperature), axis=1)
        return -float(scaled[np.arange(len(labels)), labels].mean())

    return float(np.exp(minimize_scalar(log_loss, bounds=(-3, 3), method="bounded").x))
