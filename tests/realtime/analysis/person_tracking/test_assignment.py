"""Exact assignment."""

from itertools import permutations

import numpy as np
import pytest

from realtime.analysis.person_tracking.assignment import best_pairs


@pytest.mark.parametrize(
    ("gains", "pairs"),
    [
        (np.zeros((0, 0)), []),
        (np.zeros((0, 3)), []),
        (np.zeros((3, 0)), []),
        ([[0.0, -1.0]], []),
        ([[5.0]], [(0, 0)]),
        # The best pair of all, 5, would leave 1 for the rest.
        ([[5.0, 4.0], [4.0, 1.0]], [(1, 0), (0, 1)]),
        ([[5.0, 4.0], [4.0, -9.0], [-9.0, 3.0]], [(0, 0), (2, 1)]),
        ([[2.0, 2.0, 9.0]], [(0, 2)]),
    ],
)
def test_pairs_gain_most_together(gains, pairs):
    assert best_pairs(np.asarray(gains)) == pairs


def test_no_order_of_rows_gains_more():
    rng = np.random.default_rng(0)
    for _ in range(50):
        gains = rng.integers(-5, 10, (4, 5)).astype(float)
        found = sum(gains[pair] for pair in best_pairs(gains))
        kept = np.maximum(gains, 0)
        assert found == max(kept[range(4), order].sum() for order in permutations(range(5), 4))
