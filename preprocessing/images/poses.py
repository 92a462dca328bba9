"""Poses of people: their keypoints, and the rotated squares that a landmark network looks into."""

from dataclasses import dataclass

import cv2
import numpy as np

MARGIN = 1.25  # side of the square, relative to the diameter of the circle around the body
SEEN = 0.2  # visibility of a keypoint, from which it says how far the body reaches
FEWEST = 6  # such keypoints of a body
# Of a body's longer side, that it reaches beyond its keypoints: left and right, above the eyes,
# below the toes.
BESIDE, ABOVE, BELOW = 0.06, 0.1, 0.02
# Where a square lies on a person's box, relative to its longer side: how far its centre is below
# the box's, and its own side. Measured on clips; the keypoints then correct it.
WHOLE_BODY, UPPER_BODY = (0.03, 1.3), (0.35, 2.15)
WIDE = 0.5  # width by height of a box at the lower border, from which the legs are out of view


@dataclass(frozen=True)
class Square:
    """A rotated square in an image: centre and side in pixels, angle in radians, clockwise."""

    x: float
    y: float
    side: float
    angle: float

    @classmethod
    def around(cls, hips: np.ndarray, end: np.ndarray) -> "Square":
        """The square of an upright body from the centre (2,) and a top point of its circle."""
        dx, dy = end - hips
        side = 2 * MARGIN * float(np.hypot(dx, dy))
        return cls(float(hips[0]), float(hips[1]), side, float(np.arctan2(dx, -dy)))

    @classmethod
    def of_person(cls, box: np.ndarray, *, height: int) -> "Square":
        """The square to look for a person's keypoints in, from the person's box (4,).

        Args:
            height: of the image in pixels; bodies at its lower border go on below.
        """
        x, y = (box[:2] + box[2:]) / 2
        width, tall = box[2:] - box[:2]
        below, side = UPPER_BODY if box[3] >= height - 2 and width > WIDE * tall else WHOLE_BODY
        longer = float(max(width, tall))
        return cls(float(x), float(y) + below * longer, side * longer, 0.0)

    def distance(self, other: "Square") -> float:
        """Distance of the centres, relative to the smaller side."""
        return float(np.hypot(self.x - other.x, self.y - other.y)) / min(self.side, other.side)

    def to_image(self, points: np.ndarray) -> np.ndarray:
        """Points (N, 2) on the square's scale of 0 to 1 as pixels of the image."""
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        turn = np.array([[cos, sin], [-sin, cos]])
        return (points - 0.5) @ turn * self.side + (self.x, self.y)

    def crop(self, image: np.ndarray, side: int) -> np.ndarray:
        """The square as an image of `side` pixels, black outside the image."""
        corners = np.array([(0, 0), (1, 0), (0, 1)], np.float32)
        turn = cv2.getAffineTransform(self.to_image(corners).astype(np.float32), corners * side)
        return cv2.warpAffine(image, turn, (side, side), flags=cv2.INTER_LINEAR)


@dataclass(frozen=True, eq=False)
class Pose:
    """The keypoints of one person.

    Attributes:
        keypoints: float32 (33, 2), x and y in pixels, possibly outside the image.
        visibility: float32 (33,), the probability that each is visible; 0 outside the image, where
            the network guesses.
        square: where to estimate the same person's pose in the next frame.
        presence: probability that there is a person at all, 0 to 1.
    """

    keypoints: np.ndarray
    visibility: np.ndarray
    square: Square
    presence: float = 1.0

    def body(self, *, width: int, height: int) -> np.ndarray | None:
        """The box float32 (4,) xyxy of the body in an image of that size; None if unseen."""
        seen = self.keypoints[self.visibility > SEEN]
        if len(seen) < FEWEST:
            return None
        (x1, y1), (x2, y2) = seen.min(axis=0), seen.max(axis=0)
        side = max(x2 - x1, y2 - y1)
        left, right = x1 - BESIDE * side, x2 + BESIDE * side
        box = np.array([left, y1 - ABOVE * side, right, y2 + BELOW * side])
        return np.clip(box, 0, np.tile((width, height), 2)).astype(np.float32)
