"""Separation of garments from everything else by a classifier's confidence."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve

from preprocessing.labels import CONFIDENCE_THRESHOLD, OTHER
from training.classification.report import plot_roc
from training.inference.probabilities import softmax

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


def confidence(logits: np.ndarray, classes: Sequence[str], *, temperature: float) -> Confidence:
    """The confidence that there is a garment: 1 - p(other), else the largest probability.

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
