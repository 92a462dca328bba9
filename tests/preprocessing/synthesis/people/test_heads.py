"""Lying garments dressed with heads; how heads are found is tested with the composites."""

import numpy as np

from preprocessing.images.class_maps import PERSON
from preprocessing.synthesis.people.heads import GARMENT_WIDTH, dressed


def test_the_head_is_above_the_middle_of_the_garment(materials):
    garment, (head,) = materials.upper[0].read(), materials.heads
    for seed in range(5):
        sprite = dressed(garment, head, np.random.default_rng(seed))
        rows, columns = np.nonzero(sprite.classes == PERSON)
        cloth_rows, cloth_columns = np.nonzero(sprite.classes > PERSON)
        assert rows.mean() < cloth_rows.mean()
        assert abs(columns.mean() - cloth_columns.mean()) < 0.1 * GARMENT_WIDTH
        assert 0.2 < (columns.max() - columns.min()) / GARMENT_WIDTH < 0.5
