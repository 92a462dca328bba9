"""Pose tracker: poses of the people in a video, as evidence of sleeve and leg length."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from preprocessing.images.poses import Pose, Square
from preprocessing.images.regions import box_iou
from realtime.types import Person, Region
from training.inference.pose import PoseEstimator, confirmed_pose, covered_limbs

INTERVAL = 10  # frames after which new people are detected, beside those that are tracked
MIN_DISTANCE = 0.5  # of two people's squares, relative to their side
MOST = 4  # people that are tracked
REMEMBERED = 32  # numbered people whose poses are kept
REUSES = 2  # times that a pose serves again
STILL = 0.85  # IoU of a person's box with that at the last pose, from which the pose serves


@dataclass(frozen=True, eq=False)
class _Known:
    """A numbered person's last pose, and the box at that time.

    Attributes:
        reuses: times that it served for a later frame.
    """

    box: np.ndarray
    pose: Pose
    reuses: int = 0

    def serves(self, box: np.ndarray) -> bool:
        """True if the pose is good enough for the person's box (4,) in a later frame."""
        return self.reuses < REUSES and float(box_iou(self.box[None], box[None])[0, 0]) >= STILL

    def square_at(self, box: np.ndarray) -> Square:
        """The square of the next estimate: it moves and grows along with the box (4,)."""
        square, scale = self.pose.square, _longer_side(box) / _longer_side(self.box)
        centre, new_centre = (self.box[:2] + self.box[2:]) / 2, (box[:2] + box[2:]) / 2
        x, y = new_centre + (np.array((square.x, square.y)) - centre) * scale
        return Square(float(x), float(y), square.side * scale, square.angle)


class PoseTracker:
    """Estimates the pose of whoever wears a garment, from the wearer's box.

    Where garments are worn but the locator does not tell people apart, people are detected, and
    each one's pose is then estimated where the person was last.
    """

    def __init__(self, estimator: PoseEstimator):
        self._estimator = estimator
        self._poses: list[Pose] = []  # of people whom the locator does not tell apart
        self._frames = 0
        self._known: dict[int, _Known] = {}  # by number

    def __call__(self, image: np.ndarray, regions: Sequence[Region]) -> list[Region]:
        """The regions of a BGR image (H, W, 3), worn ones with the limbs that they cover."""
        worn = [region for region in regions if region.bare is not None]
        own = self._poses_of(image, [region.wearer for region in worn if region.wearer])
        if any(region.wearer is None for region in worn):
            self._update(image)
        return [
            region
            if region.bare is None
            else replace(region, limbs=covered_limbs(region, self._candidates(region, own)))
            for region in regions
        ]

    def _candidates(self, region: Region, own: dict[int, Pose]) -> list[Pose]:
        """The poses that may be those of the region's wearer."""
        if region.wearer is None:
            return self._poses
        return [own[id(region.wearer)]] if id(region.wearer) in own else []

    def _poses_of(self, image: np.ndarray, people: Sequence[Person]) -> dict[int, Pose]:
        """The poses of the nearest people by the identity of the person."""
        each = {id(person): person for person in people}
        nearest = sorted(each.values(), key=lambda person: -_longer_side(person.box))[:MOST]
        found = {id(person): self._pose(image, person) for person in nearest}
        while len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        return {key: pose for key, pose in found.items() if pose is not None}

    def _pose(self, image: np.ndarray, person: Person) -> Pose | None:
        known, pose = self._known.pop(person.number, None), person.pose
        if pose is None and known and known.serves(person.box):
            self._known[person.number] = replace(known, reuses=known.reuses + 1)
            return known.pose
        if pose is None and known:
            pose = self._estimator.estimate(image, known.square_at(person.box))
        if pose is None:
            square = Square.of_person(person.box, height=len(image))
            pose = confirmed_pose(self._estimator, image, square)
        if pose is not None and person.number:
            self._known[person.number] = _Known(person.box, pose)
        return pose

    def _update(self, image: np.ndarray) -> None:
        squares = [pose.square for pose in self._poses]
        if not squares or self._frames % INTERVAL == 0:
            for new in self._estimator.detect(image):
                if all(new.distance(known) >= MIN_DISTANCE for known in squares):
                    squares.append(new)
        self._frames += 1
        found = (self._estimator.estimate(image, square) for square in squares[:MOST])
        self._poses = [pose for pose in found if pose is not None]


def _longer_side(box: np.ndarray) -> float:
    return float((box[2:] - box[:2]).max())
