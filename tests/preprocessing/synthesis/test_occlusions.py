"""Lanyards, cords and straps drawn over garments."""

import numpy as np
import pytest

from preprocessing.synthesis.occlusions import draw_occluder


@pytest.mark.parametrize("box", [(40, 30, 120, 150), (-30, 60, 60, 400), (90, 90, 91, 91)])
def test_it_hangs_on_the_upper_part_of_the_garment(box):
    rng = np.random.default_rng(0)
    x1, y1, x2, _ = box
    changed = np.zeros((200, 160), int)
    for _ in range(60):
        image = np.full((200, 160, 3), 120, np.uint8)
        draw_occluder(image, np.array(box), rng)
        changed += (image != 120).any(axis=2)
    rows, columns = np.nonzero(changed)
    wide = x2 - x1
    assert rows.min() >= y1 - 0.1 * wide - 3 and columns.min() >= x1 - 3
    assert columns.max() <= x2 + 3
    assert rows.max() <= y1 + 1.3 * wide + 3  # no lower than a top ends
    middle = changed[:, max(0, round(x1 + 0.35 * wide)) : round(x1 + 0.65 * wide) + 1]
    assert middle.sum() > 0.6 * changed.sum()
