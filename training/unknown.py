"""How well a classifier tells garments from everything else, for `training.evaluate --empty`."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.special import softmax
from sklearn.metrics import roc_auc_score, roc_curve

from preprocessing.kinds import OTHER
from training import report

ACCEPTED = 0.05  # share of what is no garment that may pass for one


@dataclass(frozen=True)
class Apart:
    """How far the scores of garments and of everything else lie apart.

    Attributes:
        garments, others: pictures of each.
        auroc: chance that a garment scores above something else.
        threshold: score that the share ACCEPTED of the others reaches.
        rejected: share of the garments below it.
    """

    garments: int
    others: int
    auroc: float
    threshold: float
    rejected: float

    def __str__(self) -> str:
        return (
            f"garments from everything else (n {self.garments} and {self.others}): AUROC "
            f"{self.auroc:.4f}; where {ACCEPTED:.0%} of the rest pass, {self.rejected:.1%} of the "
            "garments are refused"
        )


def sureness(logits: np.ndarray, classes: Sequence[str], *, temperature: float) -> np.ndarray:
    """How sure a network is of seeing a garment, float (N,): what it leaves to OTHER.

    A network without that class is as sure as of its best one.

    Args:
        logits: float32 (N, classes).
    """
    probabilities = softmax(logits / temperature, axis=1)
    if OTHER in classes:
        return 1 - probabilities[:, list(classes).index(OTHER)]
    return probabilities.max(axis=1)


def apart(garments: np.ndarray, others: np.ndarray) -> Apart:
    """Hold the scores (N,) of garments against those (M,) of everything else."""
    threshold = float(np.quantile(others, 1 - ACCEPTED))
    truth = np.repeat((1, 0), (len(garments), len(others)))
    auroc = float(roc_auc_score(truth, np.concatenate([garments, others])))
    rejected = float((garments <= threshold).mean())
    return Apart(len(garments), len(others), auroc, threshold, rejected)


def write_roc(folder: Path, garments: np.ndarray, others: np.ndarray) -> Apart:
    """Write unknown.json and roc.png into a folder."""
    found = apart(garments, others)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "unknown.json").write_text(json.dumps(asdict(found), indent=1) + "\n")
    truth = np.repeat((1, 0), (len(garments), len(others)))
    passed, kept, _ = roc_curve(truth, np.concatenate([garments, others]))
    report.plot_roc(folder / "roc.png", passed, kept, at=(ACCEPTED, 1 - found.rejected))
    return found
