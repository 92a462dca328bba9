"""Counts on composed walks: the truth, and the share of exact ones."""

import numpy as np

from preprocessing.images.class_maps import CLASSES
from preprocessing.synthesis.crowds import PersonCutout
from preprocessing.synthesis.walks import Walker
from realtime.bench.live.counts import exact, truth

SHIRT = np.full((60, 20), CLASSES.index("top"), np.uint8)
PERSON = PersonCutout(np.zeros((60, 20, 3), np.uint8), SHIRT)


def walker(*, from_left: bool, turn: float | None = None) -> Walker:
    return Walker(PERSON, from_left, turn, 1.0, 4.0, 400.0)


def test_the_truth_of_ways():
    through = walker(from_left=True), walker(from_left=False)
    assert truth(through) == {"line in": 1, "line out": 1, "zone in": 2, "zone out": 2}
    turned = [walker(from_left=True, turn=0.4)]
    assert truth(turned) == {"line in": 0, "line out": 0, "zone in": 1, "zone out": 1}
    far = [walker(from_left=False, turn=0.6)]
    assert truth(far) == {"line in": 1, "line out": 1, "zone in": 1, "zone out": 1}


def test_shares_of_exact_counts():
    found, true = {"0": {"a": 1, "b": 2}, "1": {"a": 1, "b": 0}}, {"0": {"a": 1, "b": 2}, "1": {
        "a": 1, "b": 2}}  # fmt: skip
    assert exact(found, true) == {"a": 1.0, "b": 0.5, "all": 0.75}
