"""Canvases: exact boxes around what is visible."""

import numpy as np

from preprocessing.synthesis.scenes import (
    MIN_INSIDE,
    MIN_VISIBLE,
    Cutout,
    PhotoGarments,
    compose,
    green_canvas,
)

SIZE = 160


def square(label=3):
    """A garment that is a filled square, so that its box is known."""
    image = np.full((40, 40, 3), 255, np.uint8)
    return PhotoGarments([Cutout(image, np.full((40, 40), 255, np.uint8), label)])


def black(size, rng, colour):
    return np.zeros((size[1], size[0], 3), np.uint8)


def test_a_centred_garment_has_an_exact_box():
    canvas = green_canvas(np.random.default_rng(0), 90, square())
    assert [garment.label for garment in canvas.garments] == [3]
    assert np.abs(canvas.garments[0].box - [30, 30, 60, 60]).max() <= 1


def test_boxes_hold_what_is_visible_and_stay_inside():
    counts = []
    for seed in range(60):
        canvas = compose(np.random.default_rng(seed), SIZE, garments=square(), backgrounds=[black])
        counts.append(len(canvas.garments))
        for garment in canvas.garments:
            x1, y1, x2, y2 = garment.box
            assert 0 <= x1 < x2 <= SIZE and 0 <= y1 < y2 <= SIZE
            assert garment.inside >= MIN_INSIDE
            assert MIN_VISIBLE <= garment.visible <= 1
    assert min(counts) == 0 and max(counts) >= 6
