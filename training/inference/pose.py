"""People's joints by MediaPipe's BlazePose files on OpenVINO (arXiv 2006.10204). Imports no torch.

One network finds people in a frame, the other a person's 33 joints in a turned square around it;
the square of the next frame follows from the joints of this one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from preprocessing.images.regions import Region, box_iou
from training.inference.openvino_network import OpenVinoNetwork

DETECTED_SIDE, JOINTS_SIDE = 224, 256  # pixels of the networks' inputs
CELLS = ((8, 2), (16, 2), (32, 6))  # stride of a grid of the first network, and answers a cell
LEAST_SCORE = 0.5  # of a person, in either network
ALIKE = 0.3  # overlap of boxes from which two answers are one person
ROOM = 1.25  # times the body's circle: the side of the square that is looked at
JOINTS = 33
# Lines between joints by their numbers, the left one and the right one.
FOREARMS, SHINS = ((13, 15), (14, 16)), ((25, 27), (26, 28))
TORSO, THIGHS = ((11, 23), (12, 24)), ((23, 25), (24, 26))
# What a garment may cover, and what it covers of whoever wears it.
LIMBS = {"forearms": (FOREARMS, TORSO), "shins": (SHINS, THIGHS)}
ALONG = np.linspace(0.2, 0.8, 7)  # places on a line: away from hands, feet, and cloth that slips
LEAST_SEEN = 0.5  # probability of a joint from which it counts
LEAST_WORN = 0.5  # share of torso or thighs, that a garment covers of its wearer


@dataclass(frozen=True)
class Square:
    """A part of an image: its centre and side in pixels, and its turn clockwise in radians."""

    x: float
    y: float
    side: float
    angle: float

    @classmethod
    def around(cls, hips: np.ndarray, end: np.ndarray) -> "Square":
        """The upright square of a body whose circle has its centre (2,) and a point above."""
        dx, dy = end - hips
        side = 2 * ROOM * float(np.hypot(dx, dy))
        return cls(float(hips[0]), float(hips[1]), side, float(np.arctan2(dx, -dy)))

    def apart(self, other: "Square") -> float:
        """Distance of the centres as a share of the smaller side."""
        return float(np.hypot(self.x - other.x, self.y - other.y)) / min(self.side, other.side)

    def to_image(self, shares: np.ndarray) -> np.ndarray:
        """Places (N, 2) in shares of the square as pixels of the image."""
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        turn = np.array([[cos, sin], [-sin, cos]])
        return (shares - 0.5) @ turn * self.side + (self.x, self.y)

    def cut(self, image: np.ndarray, side: int) -> np.ndarray:
        """The square as an image of `side` pixels, black where it lies outside."""
        corners = np.float32([(0, 0), (1, 0), (0, 1)])
        turn = cv2.getAffineTransform(self.to_image(corners).astype(np.float32), corners * side)
        return cv2.warpAffine(image, turn, (side, side), flags=cv2.INTER_LINEAR)


@dataclass(frozen=True, eq=False)
class Person:
    """A person in an image.

    Attributes:
        joints: float32 (33, 2), x and y in pixels, also outside the image.
        seen: float32 (33,), the probability that each is visible.
        square: where to look for the same person in the next frame.
    """

    joints: np.ndarray
    seen: np.ndarray
    square: Square


class PeopleFinder:
    """Both networks, read when people are first looked for: most of a quarter of a second.

    Args:
        detection, landmarks: the files that training.inference.pose_files installs, checked.
    """

    def __init__(self, detection: Path, landmarks: Path, *, threads: int = 1, cache: str = ""):
        self._files = detection, landmarks
        self._options = {"threads": threads, "cache": cache, "kind": ".tflite"}

    @cached_property
    def _detect(self) -> OpenVinoNetwork:
        return OpenVinoNetwork(self._files[0], **self._options)

    @cached_property
    def _mark(self) -> OpenVinoNetwork:
        return OpenVinoNetwork(self._files[1], **self._options)

    def __call__(self, image: np.ndarray) -> list[Person]:
        """The people of a BGR image (H, W, 3), surest first."""
        found = (self.mark(image, square) for square in self.find(image))
        return [person for person in found if person is not None]

    def find(self, image: np.ndarray) -> list[Square]:
        """The squares around the people of a BGR image (H, W, 3), surest first."""
        height, width = image.shape[:2]
        frame = Square(width / 2, height / 2, max(width, height), 0.0)
        view = cv2.cvtColor(frame.cut(image, DETECTED_SIDE), cv2.COLOR_BGR2RGB)
        places, logits = self._detect.answers(view[None].astype(np.float32) / 127.5 - 1)
        return [
            Square.around(*frame.to_image(points[:2]))
            for points in detected(places[0], logits[0, :, 0])
        ]

    def mark(self, image: np.ndarray, square: Square) -> Person | None:
        """The joints of the person in a square of a BGR image (H, W, 3); None without one."""
        view = cv2.cvtColor(square.cut(image, JOINTS_SIDE), cv2.COLOR_BGR2RGB)
        marks, score, *_ = self._mark.answers(view[None].astype(np.float32) / 255)
        if score.item() < LEAST_SCORE:
            return None
        marks = marks.reshape(-1, 5)  # x, y, depth, visibility, presence
        places = square.to_image(marks[:, :2] / JOINTS_SIDE)
        seen = _sigmoid(marks[:JOINTS, 3])
        following = Square.around(*places[JOINTS : JOINTS + 2])  # two points more than joints
        return Person(places[:JOINTS].astype(np.float32), seen, following)


def limbs_under(region: Region, people: Sequence[Person]) -> dict[str, float]:
    """The shares of its wearer's limbs that a garment covers, as `Region.limbs` has it."""
    found = {}
    for name, (limbs, body) in LIMBS.items():
        worn = [covered(region, person, body) or 0.0 for person in people]
        if worn and max(worn) >= LEAST_WORN:
            share = covered(region, people[int(np.argmax(worn))], limbs)
            if share is not None:
                found[name] = share
    return found


def covered(region: Region, person: Person, lines: Sequence[tuple[int, int]]) -> float | None:
    """The share of lines between a person's joints that a region covers; None of unseen ones."""
    seen = [line for line in lines if min(person.seen[list(line)]) >= LEAST_SEEN]
    if not seen:
        return None
    first, last = (person.joints[[line[end] for line in seen], None] for end in (0, 1))
    x, y = (first + (last - first) * ALONG[:, None]).reshape(-1, 2).T.astype(int)
    left, top, right, bottom = region.window
    inside = (x >= left) & (x < right) & (y >= top) & (y < bottom)
    shown = region.mask[y[inside] - top, x[inside] - left] > 0
    return float(shown.sum()) / len(x)


def detected(places: np.ndarray, logits: np.ndarray) -> list[np.ndarray]:
    """People in the first network's answers, surest first, as points float64 (4, 2) in shares of
    its input: the hips' middle, the end of the body's circle, and the same of the upper body.

    Args:
        places: float32 (2254, 12): a box's centre, width and height, then the points, in pixels
            from the middle of the answer's cell; logits: float32 (2254,).
    """
    scores = _sigmoid(logits)
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] >= LEAST_SCORE]
    shares = places[order].reshape(-1, 6, 2) / DETECTED_SIDE
    centres = _anchors()[order]
    middles, sizes = shares[:, 0] + centres, shares[:, 1]
    boxes = np.concatenate([middles - sizes / 2, middles + sizes / 2], axis=1)
    overlaps, kept = box_iou(boxes, boxes), []
    for index in range(len(order)):
        if not any(overlaps[index, other] > ALIKE for other in kept):
            kept.append(index)
    return [shares[index, 2:] + centres[index] for index in kept]


def _anchors() -> np.ndarray:
    """The middles of the cells of all answers, float64 (2254, 2), in shares of the input."""
    found = []
    for stride, count in CELLS:
        middles = (np.arange(DETECTED_SIDE // stride) + 0.5) * stride / DETECTED_SIDE
        y, x = np.meshgrid(middles, middles, indexing="ij")
        found.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), count, axis=0))
    return np.concatenate(found)


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(values, -50, 50)))
