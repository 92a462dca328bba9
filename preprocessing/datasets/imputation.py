"""Imputation of missing attribute values: a row of IMPUTATIONS, fitted on the training rows.

Pure functions: the user's table is never changed.
"""

from collections import Counter
from collections.abc import Callable

import numpy as np

from preprocessing.datasets.attribute_table import MISSING


def masked(values: np.ndarray, known: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Leave values missing: losses ignore them."""
    return values


def own_class(values: np.ndarray, known: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Make missing a class of its own, after the others."""
    return np.where(values == MISSING, sizes, values)


def mode(values: np.ndarray, known: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Fill in each column's most frequent class."""
    return np.where(values == MISSING, modes(known), values)


def conditional(values: np.ndarray, known: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Fill in the most likely combination of classes, given the known values of the row.

    If nothing is known, that is the most frequent row; if no training row has the known values,
    each column's most frequent class.
    """
    filled, usual = values.copy(), modes(known)
    cache: dict[tuple[int, ...], np.ndarray] = {}
    for row in np.flatnonzero((values == MISSING).any(axis=1)):
        key = tuple(values[row].tolist())
        if key not in cache:
            cache[key] = _likeliest(values[row], known, usual)
        filled[row] = cache[key]
    return filled


def dropped(values: np.ndarray, known: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Make all values of a row with a gap missing, so that losses ignore the row."""
    return np.where((values == MISSING).any(axis=1, keepdims=True), MISSING, values)


def modes(known: np.ndarray) -> np.ndarray:
    """The most frequent class of each column (A,); 0 if all its values are missing."""
    return np.array([
        np.bincount(column[column != MISSING], minlength=1).argmax() for column in known.T
    ])  # fmt: skip


def _likeliest(row: np.ndarray, known: np.ndarray, usual: np.ndarray) -> np.ndarray:
    given = row != MISSING
    agreeing = known[(known[:, given] == row[given]).all(axis=1)][:, ~given]
    agreeing = agreeing[(agreeing != MISSING).all(axis=1)]
    found = row.copy()
    found[~given] = usual[~given]
    if len(agreeing):
        likeliest, _ = Counter(map(tuple, agreeing.tolist())).most_common(1)[0]
        found[~given] = likeliest
    return found


# From values int64 (N, A), those of the training rows (M, A) and the number of classes of each
# attribute (A,) to values (N, A).
IMPUTATIONS: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "mask": masked,
    "class": own_class,
    "mode": mode,
    "conditional": conditional,
    "drop": dropped,
}
