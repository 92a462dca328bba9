"""Engines compared by their garments."""

import numpy as np

from realtime.bench.fidelity.engines import Agreement, Answers, agreement
from realtime.types import Garment, Label, Region


def garment(name, probability, *, left=10):
    box = np.array([left, 20, left + 8, 40], np.float32)
    return Garment(Region.from_box(box), 1, Label(name, probability))


def test_frames_with_other_garments_are_counted():
    expected = Answers([[garment("top", 0.9)], [garment("skirt", 0.8)], [], []], [1.0] * 4)
    found = Answers(
        [[garment("top", 0.65, left=11)], [garment("dress", 0.8, left=13)], [],
         [garment("top", 0.1, left=50)]], [1.0] * 4
    )  # fmt: skip
    assert agreement(expected, expected) == Agreement(4, 4, 2, 0.0, 0.0)
    assert agreement(expected, found) == Agreement(4, 2, 2, 3.0, 0.25)
