"""How well a classifier tells garments from everything else, for `training.evaluate --empty`."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve

from preprocessing.labels import CONFIDENCE_THRESHOLD, OTHER
from training.common import reports
from training.inference.probabilities import softmax

ACCEPTED = 0.05  # share of what is no garment that may pass for one


@dataclass(frozen=True)
class Apart:
    """How far the scores of garments and of everything else lie apart.

    Attributes:
        garments, others: pictures of each.
        auroc: chance that a garment scores above something else.
        threshold: score that the share ACCEPTED of the others reaches.
        rejected: share of the garments below it.
        kept, passed: shares of garments and of the others that the live app names by default.
    """

    garments: int
    others: int
    auroc: float
    threshold: float
    rejected: float
    kept: float
    passed: float

    def __str__(self) -> str:
        return (
            f"garments from everything else (n {self.garments} and {self.others}): AUROC "
            f"{self.auroc:.4f}; where {ACCEPTED:.0%} of the rest pass, {self.rejected:.1%} of the "
            f"garments are refused; the app names {self.kept:.1%} of the garments and "
            f"{self.passed:.1%} of the rest"
        )


@dataclass(frozen=True, eq=False)
class Sureness:
    """Of pictures: the score (N,) for a garment, and whether the live app names one, bool (N,)."""

    scores: np.ndarray
    named: np.ndarray


def sureness(logits: np.ndarray, classes: Sequence[str], *, temperature: float) -> Sureness:
    """How sure a network is of seeing a garment: of what it leaves to OTHER.

    A network without that class is as sure as of its best one.

    Args:
        logits: float32 (N, classes).
    """
    probabilities = softmax(logits / temperature)
    best, scores = probabilities.argmax(axis=1), probabilities.max(axis=1)
    named = (scores >= CONFIDENCE_THRESHOLD) & (np.array(classes)[best] != OTHER)
    if OTHER in classes:
        scores = 1 - probabilities[:, list(classes).index(OTHER)]
    return Sureness(scores, named)


def apart(garments: Sureness, others: Sureness) -> Apart:
    """Hold garments against everything else."""
    threshold = float(np.quantile(others.scores, 1 - ACCEPTED))
    truth, scores = _pooled(garments, others)
    rejected = float((garments.scores <= threshold).mean())
    return Apart(
        len(garments.scores), len(others.scores), float(roc_auc_score(truth, scores)), threshold,
        rejected, kept=float(garments.named.mean()), passed=float(others.named.mean()),
    )  # fmt: skip


def _pooled(garments: Sureness, others: Sureness) -> tuple[np.ndarray, np.ndarray]:
    """1 for garments and 0 for others, (N + M,), and the scores of all."""
    truth = np.repeat((1, 0), (len(garments.scores), len(others.scores)))
    return truth, np.concatenate([garments.scores, others.scores])


def write_roc(folder: Path, garments: Sureness, others: Sureness) -> Apart:
    """Write unknown.json and roc.png into a folder."""
    found = apart(garments, others)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "unknown.json").write_text(json.dumps(asdict(found), indent=1) + "\n")
    passed, kept, _ = roc_curve(*_pooled(garments, others))
    reports.plot_roc(folder / "roc.png", passed, kept, at=(found.passed, found.kept))
    return found
