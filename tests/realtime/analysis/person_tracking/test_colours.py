"""Colours of clothes."""

import numpy as np
import pytest

from preprocessing.labels import LAYERS
from realtime.analysis.person_tracking.colours import cloth_colours
from realtime.types import Region

RED, BLUE, BLACK = (40, 40, 200), (200, 80, 30), (25, 25, 25)


def wearing(*garments, light=1.0):
    """The colours of garments given as (layer, colour, rows), on an image that is else green."""
    image = np.full((200, 60, 3), (0, 255, 0), np.uint8)
    regions = []
    for layer, colour, (top, bottom) in garments:
        image[top:bottom, 10:50] = np.array(colour) * light
        mask = np.zeros((200, 60), np.uint8)
        mask[top:bottom, 10:50] = 255
        region = Region.from_mask(mask)
        scores = np.eye(len(LAYERS), dtype=np.float32)[LAYERS.index(layer)]
        regions.append(Region(region.box, region.mask, scores))
    return cloth_colours(image, regions)


TOP, TROUSERS = ("top", RED, (30, 90)), ("trousers", BLACK, (90, 180))


def test_light_changes_less_than_other_clothes():
    one = wearing(TOP, TROUSERS)
    assert one.distance(one) == 0
    darker = one.distance(wearing(TOP, TROUSERS, light=0.8))
    assert 0 < 3 * darker < one.distance(wearing(("top", BLUE, (30, 90)), TROUSERS))
    assert one.distances(wearing(TROUSERS)) == [0]


def test_a_missed_jacket_and_a_top_taken_for_a_dress_change_little():
    jacket = ("outer", BLUE, (30, 90))
    over, without = wearing(jacket, ("top", RED, (40, 60)), TROUSERS), wearing(TOP, TROUSERS)
    assert over.distance(without) == pytest.approx(0, abs=1e-4)
    dress = wearing(("dress", RED, (30, 150)))
    skirt = wearing(TOP, ("skirt", RED, (90, 150)))
    assert dress.distances(skirt) == pytest.approx([0, 0], abs=1e-4)


def test_bags_and_shoes_are_no_evidence():
    nothing = wearing(("bag", RED, (100, 140)), ("shoes", BLACK, (180, 200)))
    assert nothing.distance(nothing) is None and wearing(TOP).distance(nothing) is None


def test_the_mean_keeps_what_one_alone_knows():
    both = wearing(TOP).blended(wearing(("top", BLUE, (30, 90)), TROUSERS), 0.5)
    assert both.distances(wearing(TROUSERS)) == [0]
    to_red, to_blue = (both.distance(wearing(("top", colour, (30, 90)))) for colour in (RED, BLUE))
    assert to_red == pytest.approx(to_blue, rel=1e-4) and to_red > 10
