"""Imputation of missing values."""

import numpy as np
import pytest

from preprocessing.datasets.attribute_table import MISSING
from preprocessing.datasets.imputation import IMPUTATIONS

N = MISSING
KNOWN = np.array([[0, 1, 2], [0, 1, 2], [1, 0, 0], [1, 0, 1], [1, 0, 1], [1, 0, N]])
GAPS = np.array([[N, N, N], [1, N, N], [0, 1, N], [2, N, 0], [N, 0, 0]])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("mask", GAPS.tolist()),
        ("class", [[3, 2, 3], [1, 2, 3], [0, 1, 3], [2, 2, 0], [3, 0, 0]]),
        ("mode", [[1, 0, 1], [1, 0, 1], [0, 1, 1], [2, 0, 0], [1, 0, 0]]),
        # (0, 1, 2) and (1, 0, 1) are equally frequent: the first one seen; no row begins with 2.
        ("conditional", [[0, 1, 2], [1, 0, 1], [0, 1, 2], [2, 0, 0], [1, 0, 0]]),
        ("drop", [[N, N, N]] * 5),
    ],
)
def test_gaps_are_filled(kind, expected):
    before = GAPS.copy()
    filled = IMPUTATIONS[kind](GAPS, KNOWN, np.array([3, 2, 3]))
    assert filled.tolist() == expected
    assert np.array_equal(GAPS, before)
    whole = np.array([[1, 0, 2]])
    assert IMPUTATIONS[kind](whole, KNOWN, np.array([3, 2, 3])).tolist() == [[1, 0, 2]]
