"""Baseline of a DeepFashion network: the same predictions for every picture."""

from dataclasses import dataclass

import numpy as np

from preprocessing.datasets.imputation import modes
from training.deepfashion.data import FashionDataset, FashionSubset

BOX_SAMPLES = 400  # pictures whose boxes make the mean box


@dataclass(frozen=True, eq=False)
class Baseline:
    """The predictions that fit training best.

    Attributes:
        box: float (4,), the mean box, as fractions of the sides.
        modes: int (groups,), the most frequent class of each group.
    """

    box: np.ndarray
    modes: np.ndarray


def fit_baseline(training: FashionSubset) -> Baseline:
    """Return the baseline of a training subset."""
    pictures = FashionDataset(training, augmented=False)
    chosen = np.unique(np.linspace(0, len(training) - 1, BOX_SAMPLES).astype(int))
    boxes = np.stack([pictures[int(index)][1]["box"].numpy() for index in chosen])
    values = training.benchmark.values
    usual = np.zeros(0, int) if values is None else modes(values[training.rows])
    return Baseline(np.nanmean(boxes, axis=0), usual)
