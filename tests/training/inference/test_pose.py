"""Pose networks: outputs decoded, squares around people, a real photo; limbs under garments."""

from dataclasses import replace

import make
import numpy as np
import pytest

from preprocessing.images.pictures import read_picture
from preprocessing.images.poses import Pose, Square
from preprocessing.images.regions import Region
from training.inference import pose_files
from training.inference.pose import (
    DETECTOR_SIDE,
    KEYPOINTS,
    LimbOdds,
    PoseEstimator,
    covered_limbs,
    detected_people,
)

PHOTO = make.ROOT.parent / "shared" / "data" / "worn" / "parsed" / "photos" / "0200.jpg"
SHOULDER, ELBOW, WRIST = (11, 12), (13, 14), (15, 16)
HIP, KNEE, ANKLE = (23, 24), (25, 26), (27, 28)
ODDS = LimbOdds(
    visible={"forearms": (4.7, 4.3, -4.0), "shins": (0.0, 6.1, -2.7)},
    hidden={"forearms": (10.2, -1.8)},
)


def test_people_in_the_detector_s_outputs():
    logits = np.full(2254, -20, np.float32)
    boxes = np.zeros((2254, 12), np.float32)
    # The first cell of the finest grid, centre (4, 4), and its neighbour with the same person.
    for index, offset in ((0, 0), (2, -8)):
        logits[index] = 3 - index
        boxes[index] = (100 + offset, 100, 50, 60, 106 + offset, 110, 106 + offset, 60, *[0] * 4)
    logits[2253] = 1  # another person, in the last cell of the coarsest grid, centre (208, 208)
    boxes[2253, :6] = (-8, -8, 30, 30, 0, -8)
    first, second = detected_people(boxes, logits)
    assert first[:2] * DETECTOR_SIDE == pytest.approx(np.array([(110, 114), (110, 64)]))
    assert second[0] * DETECTOR_SIDE == pytest.approx((208, 200))
    assert detected_people(boxes, np.full(2254, -20, np.float32)) == []


@pytest.mark.skipif(not PHOTO.is_file(), reason="no ../shared/data/worn here")
@pytest.mark.skipif(not pose_files.installed(), reason=f"no pose networks: `{pose_files.COMMAND}`")
def test_the_pose_in_a_photo():
    image = read_picture(PHOTO)
    estimator = PoseEstimator(*pose_files.verified_files())
    (pose,) = estimator(image)
    left, right = pose.keypoints[SHOULDER[0]], pose.keypoints[SHOULDER[1]]
    assert left[0] > right[0]  # the person faces the camera
    assert pose.presence > 0.9
    assert pose.keypoints[HIP[0], 1] < pose.keypoints[KNEE[0], 1] < pose.keypoints[ANKLE[0], 1]
    assert (pose.visibility[list(ELBOW + KNEE)] > 0.5).all()
    again = estimator.estimate(image, pose.square)
    assert np.abs(again.keypoints - pose.keypoints)[11:].mean() < 0.03 * max(image.shape)
    above = estimator.estimate(image[: int(pose.keypoints[KNEE[0], 1]) - 20], pose.square)
    assert above is not None
    assert (above.visibility[list(KNEE + ANKLE)] == 0).all()  # the network guesses them below
    assert (above.visibility[list(SHOULDER)] > 0.5).all()


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
