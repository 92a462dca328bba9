"""Following between two looks: regions move with their pixels; how often is looked."""

import numpy as np
import pytest

from realtime.analysis.optical_flow import OpticalFlow, shifted
from realtime.types import Region

SIZE = (240, 320)


def textured(x, y, *, side=80, seed=0):
    """A noisy square at (x, y) on plain ground, and its region."""
    image = np.full((*SIZE, 3), 120, np.uint8)
    cloth = np.random.default_rng(seed).integers(0, 255, (side // 4, side // 4, 3), np.uint8)
    cloth = np.kron(cloth, np.ones((4, 4, 1), np.uint8))
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + side, SIZE[1]), min(y + side, SIZE[0])
    image[top:bottom, left:right] = cloth[top - y : bottom - y, left - x : right - x]
    box = np.float32((left, top, right, bottom))
    return image, Region(box, np.full((bottom - top, right - left), 255, np.uint8))


@pytest.mark.parametrize("step", [(0, 0), (5, 0), (-3, 4), (9, -7)])
def test_regions_move_with_their_pixels(step):
    first, region = textured(100, 90)
    second, expected = textured(100 + step[0], 90 + step[1])
    flow = OpticalFlow()
    flow.restart(first)
    (found,) = flow(second, [region])
    assert np.abs(found.box - expected.box).max() <= 1
    assert found.mask.shape == expected.mask.shape


def test_what_leaves_is_cut_and_then_gone():
    _, region = textured(100, 90)
    cut = shifted(region, np.array([-120, 0]), width=320, height=240)
    assert cut.box.tolist() == [0, 90, 60, 170] and cut.mask.shape == (80, 60)
    x1, y1, x2, y2 = cut.window
    assert cut.mask.shape == (y2 - y1, x2 - x1)
    assert shifted(region, np.array([-200, 0]), width=320, height=240) is None


def test_plain_cloth_and_a_new_size_leave_regions_where_they_are():
    plain = np.full((*SIZE, 3), 90, np.uint8)
    _, region = textured(100, 90)
    flow = OpticalFlow()
    assert flow(plain, [region])[0] is region
    assert flow(plain, [region])[0] is region
    assert flow(plain[:120], [region])[0] is region
    assert flow(plain[:120], []) == []


def test_an_empty_mask_has_a_point_too():
    image, region = textured(100, 90)
    flow = OpticalFlow()
    flow.restart(image)
    empty = Region(region.box, np.zeros_like(region.mask))
    assert flow(image, [empty])[0].box.tolist() == region.box.tolist()
