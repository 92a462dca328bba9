"""Views of a garment: it stays itself, in its place, and the views differ."""

import numpy as np
import pytest

from preprocessing.images.regions import Region, box_iou
from preprocessing.synthesis.garment_views import AGAIN, ELSEWHERE, Change, another_view

STILL = Change(
    angle=0, zoom=1, tilt=0, shift=0, folds=0, elsewhere=0, gain=0, exposure=0, gamma=0, slope=0,
    noise=0, blur=0, quality=95,
)  # fmt: skip


def photo():
    """A red square in the middle of grey ground, BGR uint8 (90, 120, 3), and its region."""
    image = np.full((90, 120, 3), 128, np.uint8)
    image[30:60, 45:75] = (30, 40, 200)
    return image, Region(np.array([45, 30, 75, 60], np.float32), np.full((30, 30), 255, np.uint8))


def test_without_changes_a_view_is_the_photo():
    image, region = photo()
    view, moved = another_view(image, region, np.random.default_rng(0), STILL)
    assert np.abs(view.astype(int) - image).mean() < 2
    assert moved.box == pytest.approx(region.box)


@pytest.mark.parametrize("change", [AGAIN, ELSEWHERE])
def test_the_region_is_where_the_garment_went(change):
    image, region = photo()
    for seed in range(8):
        view, moved = another_view(image, region, np.random.default_rng(seed), change)
        assert view.shape == image.shape and view.dtype == np.uint8
        x1, y1, x2, y2 = moved.window
        inside = view[y1:y2, x1:x2][moved.mask > 0].astype(int).mean(axis=0)
        assert inside[2] > 1.8 * inside[0]
        assert box_iou(moved.box[None], region.box[None])[0, 0] > 0.2


def test_seeds_make_views_alike_and_others_differ():
    image, region = photo()
    first, again, other = (
        another_view(image, region, np.random.default_rng(seed))[0] for seed in (1, 1, 2)
    )
    assert (first == again).all() and (first != other).any()


def test_a_photo_without_a_region_keeps_its_ground():
    image, _ = photo()
    view, moved = another_view(image, None, np.random.default_rng(0), STILL)
    assert moved is None and np.abs(view.astype(int) - image).mean() < 2
