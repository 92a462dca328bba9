"""Poses of people over several frames."""

from dataclasses import replace

import numpy as np

from preprocessing.images.poses import Pose, Square
from realtime.analysis import pose_tracker
from realtime.analysis.pose_tracker import REUSES, PoseTracker
from realtime.types import Person, Region
from training.inference.pose import KEYPOINTS

IMAGE = np.zeros((100, 200, 3), np.uint8)
TOP = replace(Region.from_box(np.array((0, 0, 50, 50), np.float32)), bare=0.1)


class Estimator:
    """Detects people at given places, and estimates their poses only there."""

    def __init__(self, *places: float):
        self.places, self.detections, self.estimated = list(places), 0, []

    def detect(self, image):
        self.detections += 1
        return [Square(x, 50, 40, 0) for x in self.places]

    def estimate(self, image, square):
        self.estimated.append(square.x)
        if not any(abs(square.x - x) < 5 for x in self.places):
            return None
        keypoints = np.full((KEYPOINTS, 2), 25, np.float32)
        return Pose(keypoints, np.ones(KEYPOINTS, np.float32), square)


def test_people_are_tracked_and_detected_anew_when_lost():
    estimator = Estimator(40)
    tracker = PoseTracker(estimator)
    for _ in range(pose_tracker.INTERVAL):
        (found,) = tracker(IMAGE, [TOP])
    assert estimator.detections == 1 and found.limbs == {"forearms": 1.0, "shins": 1.0}
    tracker(IMAGE, [TOP])
    assert estimator.detections == 2  # of others
    estimator.places = []
    tracker(IMAGE, [TOP])
    assert tracker(IMAGE, [TOP])[0].limbs == {}
    assert estimator.detections == 3


def test_newcomers_join_and_nobody_counts_twice():
    estimator = Estimator(40)
    tracker = PoseTracker(estimator)
    tracker(IMAGE, [TOP])
    estimator.places.append(150)
    for _ in range(pose_tracker.INTERVAL):
        estimator.estimated.clear()
        tracker(IMAGE, [TOP])
    assert estimator.estimated == [40, 150]


def test_nobody_is_detected_where_nothing_is_worn():
    estimator = Estimator(40)
    lying = replace(TOP, bare=None)
    assert PoseTracker(estimator)(IMAGE, [lying]) == [lying] and estimator.detections == 0


def worn_by(person):
    return replace(TOP, wearer=person)


def test_a_wearers_square_comes_from_the_box():
    estimator = Estimator(25)
    person = Person(np.array((15, 20, 35, 80), np.float32), number=1)
    (found,) = PoseTracker(estimator)(IMAGE, [worn_by(person)])
    assert found.limbs == {"forearms": 1.0, "shins": 1.0} and found.wearer is person
    assert estimator.detections == 0
    assert estimator.estimated == [25, 25]  # the second time with the first keypoints' square


def test_a_known_wearers_square_moves_with_the_box():
    estimator = Estimator(25)
    tracker = PoseTracker(estimator)
    box = np.array((15, 20, 35, 80), np.float32)
    tracker(IMAGE, [worn_by(Person(box, number=1))])
    estimator.estimated.clear()
    estimator.places = [65]
    tracker(IMAGE, [worn_by(Person(box + np.array((40, 0, 40, 0), np.float32), number=1))])
    assert estimator.estimated == [65]
    estimator.estimated.clear()
    tracker(IMAGE, [worn_by(Person(box + np.array((40, 0, 40, 0), np.float32), number=2))])
    assert estimator.estimated == [65, 65]  # somebody else


def test_a_pose_that_the_locator_gives_is_not_estimated_again():
    estimator = Estimator(25)
    pose = Pose(np.full((KEYPOINTS, 2), 25, np.float32), np.ones(KEYPOINTS, np.float32),
                Square(25, 50, 40, 0))  # fmt: skip
    person = Person(np.array((15, 20, 35, 80), np.float32), number=1, pose=pose)
    tracker = PoseTracker(estimator)
    (found,) = tracker(IMAGE, [worn_by(person)])
    assert found.limbs == {"forearms": 1.0, "shins": 1.0} and estimator.estimated == []
    for reuse in range(REUSES):
        (found,) = tracker(IMAGE, [worn_by(replace(person, pose=None))])
        assert found.limbs == {"forearms": 1.0, "shins": 1.0} and estimator.estimated == [], reuse
    tracker(IMAGE, [worn_by(replace(person, pose=None))])
    assert estimator.estimated == [25]  # from where it was


def test_a_pose_serves_nobody_who_has_moved():
    estimator = Estimator(25)
    tracker = PoseTracker(estimator)
    for number, left in enumerate((15, 19)):  # the boxes' IoU is 0.67
        tracker(IMAGE, [worn_by(Person(np.array((left, 20, left + 20, 80), np.float32), number=1))])
        assert len(estimator.estimated) == 2 + number  # the first one is confirmed


def test_limbs_are_the_wearers_own():
    estimator = Estimator(25)
    near = Person(np.array((15, 20, 35, 80), np.float32), number=1)
    other = Person(np.array((115, 20, 135, 80), np.float32), number=2)
    first, second = PoseTracker(estimator)(IMAGE, [worn_by(near), worn_by(other)])
    assert first.limbs == {"forearms": 1.0, "shins": 1.0} and second.limbs == {}
