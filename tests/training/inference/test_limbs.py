"""Limbs that garments cover of their wearers, and the odds that follow."""

from dataclasses import replace

import numpy as np
import pytest

from preprocessing.images.regions import Region
from training.inference.limbs import LimbOdds, covered_limbs
from training.inference.pose import KEYPOINTS, Pose, Square

SHOULDER, ELBOW, WRIST = (11, 12), (13, 14), (15, 16)
HIP, KNEE, ANKLE = (23, 24), (25, 26), (27, 28)
ODDS = LimbOdds(
    visible={"forearms": (4.7, 4.3, -4.0), "shins": (0.0, 6.1, -2.7)},
    hidden={"forearms": (10.2, -1.8)},
)


def standing(*, arms: int = 40, hidden: tuple[int, ...] = ()) -> Pose:
    """Someone upright, from the front: arms hang this far beside the centre at x 50."""
    keypoints = np.zeros((KEYPOINTS, 2), np.float32)
    for pair, side, y in ((SHOULDER, 15, 20), (ELBOW, arms, 40), (WRIST, arms, 60), (HIP, 10, 60),
                          (KNEE, 10, 80), (ANKLE, 10, 100)):  # fmt: skip
        keypoints[list(pair)] = ((50 + side, y), (50 - side, y))
    visibility = np.ones(KEYPOINTS, np.float32)
    visibility[list(hidden)] = 0
    return Pose(keypoints, visibility, Square(50, 60, 100, 0))


def covering(*box: int) -> Region:
    return Region.from_box(np.array(box, np.float32))


@pytest.mark.parametrize(
    ("region", "pose", "limbs"),
    [
        (covering(30, 15, 70, 62), standing(), {"forearms": 0.0}),  # a T-shirt
        (covering(5, 15, 95, 62), standing(), {"forearms": 1.0}),  # a jumper
        (covering(5, 15, 60, 62), standing(), {"forearms": 0.5}),
        (covering(30, 58, 70, 105), standing(), {"shins": 1.0}),  # trousers
        (covering(30, 58, 70, 80), standing(), {"shins": 0.0}),  # shorts
        (covering(30, 15, 70, 105), standing(), {"forearms": 0.0, "shins": 1.0}),  # a long dress
        (covering(5, 15, 95, 62), standing(hidden=WRIST), {}),
        (covering(5, 15, 60, 62), standing(hidden=WRIST[:1]), {"forearms": 1.0}),
        (covering(0, 90, 100, 110), standing(), {}),  # shoes
    ],
)
def test_limbs_under_a_garment(region, pose, limbs):
    assert covered_limbs(region, [pose]) == pytest.approx(limbs)
    assert covered_limbs(region, []) == {}


def test_of_two_people_the_wearer_counts():
    wearer = standing()
    other = replace(wearer, keypoints=wearer.keypoints + np.array((200, 0), np.float32))
    assert covered_limbs(covering(5, 15, 95, 62), [other, wearer]) == {"forearms": 1.0}


@pytest.mark.parametrize(
    ("limbs", "signs"),
    [
        ({}, {"forearms": -1}),
        ({"forearms": 0.0}, {"forearms": 1}),
        ({"forearms": 1.0, "shins": 1.0}, {"forearms": -1, "shins": -1}),
        ({"shins": 0.0}, {"forearms": -1, "shins": 1}),
    ],
)
def test_odds_of_bare_limbs(limbs, signs):
    top = replace(covering(0, 0, 50, 50), bare=0.1, limbs=limbs)
    odds = ODDS(top)
    assert {limb: np.sign(value) for limb, value in odds.items()} == signs
    assert max(map(abs, odds.values())) <= ODDS.limit
    assert ODDS(replace(top, bare=None)) == {} and LimbOdds()(top) == {}
