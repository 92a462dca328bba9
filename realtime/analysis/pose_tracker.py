"""Pose tracker: poses of the people in a video, as evidence of sleeve and leg length."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from realtime.types import Region
from training.inference.pose import Pose, PoseEstimator, covered_limbs

INTERVAL = 10  # frames after which new people are detected, beside those that are tracked
MIN_DISTANCE = 0.5  # of two people's squares, relative to their side
MOST = 4  # people that are tracked


class PoseTracker:
    """Estimates each person's pose where the person was last; detects people anew if all are lost.

    Only frames with worn garments count.
    """

    def __init__(self, estimator: PoseEstimator):
        self._estimator = estimator
        self._poses: list[Pose] = []
        self._frames = 0

    def __call__(self, image: np.ndarray, regions: Sequence[Region]) -> list[Region]:
        """The regions of a BGR image (H, W, 3), worn ones with the limbs that they cover."""
        if all(region.bare is None for region in regions):
            return list(regions)
        self._update(image)
        return [
            region
            if region.bare is None
            else replace(region, limbs=covered_limbs(region, self._poses))
            for region in regions
        ]

    def _update(self, image: np.ndarray) -> None:
        squares = [pose.square for pose in self._poses]
        if not squares or self._frames % INTERVAL == 0:
            for new in self._estimator.detect(image):
                if all(new.distance(known) >= MIN_DISTANCE for known in squares):
                    squares.append(new)
        self._frames += 1
        found = (self._estimator.estimate(image, square) for square in squares[:MOST])
        self._poses = [pose for pose in found if pose is not None]
