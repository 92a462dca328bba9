"""Near-duplicates by perceptual hashes."""

import make
import numpy as np

from preprocessing.datasets.duplicates import near_duplicates, perceptual_hash


def test_near_duplicates_survive_scaling():
    first, second = make.scene(), np.flip(make.scene(), axis=0).copy()
    second[:60] = 90
    smaller = first[::2, ::2].copy()
    hashes = [perceptual_hash(image) for image in (first, second, smaller)]
    assert near_duplicates(hashes) == [(0, 2)]
    assert near_duplicates([0b1111, 0, 0b11111 << 30]) == [(0, 1)]
    assert near_duplicates([]) == []
