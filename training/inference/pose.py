"""Pose keypoints of people, and what a garment that covers their limbs must be.

MediaPipe's BlazePose networks (arXiv 2006.10204): a detector finds people in a frame, a
landmark network marks a person's 33 keypoints in a rotated square around it. The square of the next
frame follows from the keypoints of this one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from preprocessing.images.poses import Pose, Square
from preprocessing.images.regions import Region, box_iou
from training.inference import pose_files
from training.inference.fitted import FittedFile
from training.inference.networks import Loader, Network
from training.inference.openvino_network import OpenVinoNetwork

DETECTOR_SIDE, LANDMARK_SIDE = 224, 256  # pixels of the networks' inputs
ANCHOR_GRIDS = ((8, 2), (16, 2), (32, 6))  # of the detector: a grid's stride, and anchors a cell
MIN_SCORE = 0.5  # of a person, in either network
SAME_PERSON = 0.3  # IoU of boxes above which two detections are one person
KEYPOINTS = 33
Lines = Sequence[tuple[int, int]]
# Lines between keypoints by their numbers, left and right.
FOREARMS, SHINS = ((13, 15), (14, 16)), ((25, 27), (26, 28))
TORSO, THIGHS = ((11, 23), (12, 24)), ((23, 25), (24, 26))
# By limb: its lines, and the lines that a garment covers of whoever wears it.
LIMBS: dict[str, tuple[Lines, Lines]] = {"forearms": (FOREARMS, TORSO), "shins": (SHINS, THIGHS)}
SAMPLES = np.linspace(0.2, 0.8, 7)  # along a line: away from hands, feet, and cloth that slips
MIN_VISIBILITY = 0.5  # of a keypoint
MIN_WORN = 0.5  # fraction of torso or thighs that a garment covers of its wearer


class PoseEstimator:
    """Both networks, loaded at their first use, which takes about a quarter of a second.

    Args:
        detector, landmarks: the files that training.inference.pose_files installs, verified.
        load: loads them on a runtime.
    """

    def __init__(self, detector: Path, landmarks: Path, load: Loader = OpenVinoNetwork):
        self._files, self._load = (detector, landmarks), load

    def load(self) -> None:
        """Load the network of keypoints now."""
        self._landmarks  # noqa: B018  # a cached property

    @cached_property
    def _detector(self) -> Network:
        return self._load(self._files[0], kind=".tflite")

    @cached_property
    def _landmarks(self) -> Network:
        return self._load(self._files[1], kind=".tflite")

    def __call__(self, image: np.ndarray) -> list[Pose]:
        """The poses in a BGR image (H, W, 3), highest detection score first."""
        found = (self.estimate(image, square) for square in self.detect(image))
        return [pose for pose in found if pose is not None]

    def detect(self, image: np.ndarray) -> list[Square]:
        """The squares around the people in a BGR image (H, W, 3), highest score first."""
        height, width = image.shape[:2]
        frame = Square(width / 2, height / 2, max(width, height), 0.0)
        view = cv2.cvtColor(frame.crop(image, DETECTOR_SIDE), cv2.COLOR_BGR2RGB)
        boxes, logits = self._detector.outputs_for(view[None].astype(np.float32) / 127.5 - 1)
        return [
            Square.around(*frame.to_image(points[:2]))
            for points in detected_people(boxes[0], logits[0, :, 0])
        ]

    def estimate(self, image: np.ndarray, square: Square) -> Pose | None:
        """The pose of the person in a square of a BGR image (H, W, 3); None if there is none."""
        view = cv2.cvtColor(square.crop(image, LANDMARK_SIDE), cv2.COLOR_BGR2RGB)
        marks, score, *_ = self._landmarks.outputs_for(view[None].astype(np.float32) / 255)
        if score.item() < MIN_SCORE:
            return None
        marks = marks.reshape(-1, 5)  # x, y, depth, visibility, presence
        points = square.to_image(marks[:, :2] / LANDMARK_SIDE)
        inside = (points[:KEYPOINTS] >= 0) & (points[:KEYPOINTS] < image.shape[1::-1])
        visibility = _sigmoid(marks[:KEYPOINTS, 3]) * inside.all(axis=1)
        # The two points after the keypoints are those that the detector gives.
        next_square = Square.around(*points[KEYPOINTS : KEYPOINTS + 2])
        return Pose(
            points[:KEYPOINTS].astype(np.float32), visibility, next_square, presence=score.item()
        )


def confirmed_pose(poses: PoseEstimator, image: np.ndarray, square: Square) -> Pose | None:
    """The pose in a square of a BGR image (H, W, 3), with the lower presence of two estimates.

    A square from a box says where the body is, but not how it is turned: the first keypoints do.
    """
    first = poses.estimate(image, square)
    second = poses.estimate(image, first.square) if first else None
    if first is None or second is None:
        return None
    return replace(second, presence=min(first.presence, second.presence))


def load_poses(*, required: bool = False, load: Loader = OpenVinoNetwork) -> PoseEstimator | None:
    """The installed networks; None if they are not, and not required.

    Raises:
        WeightsError: a file is damaged, or a required one missing.
    """
    folder = pose_files.FOLDER
    if not required and not pose_files.installed(folder):
        return None
    return PoseEstimator(*pose_files.verified_files(folder), load)


def detected_people(boxes: np.ndarray, logits: np.ndarray) -> list[np.ndarray]:
    """Decode the detector's outputs, highest score first.

    Returns:
        For each person points float64 (4, 2) on the input's scale of 0 to 1: the centre of the
        hips, a point on the circle around the body, and the same two of the upper body.

    Args:
        boxes: float32 (2254, 12): a box's centre, width and height, then the points, in pixels
            relative to the centre of the anchor's cell.
        logits: float32 (2254,).
    """
    scores = _sigmoid(logits)
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] >= MIN_SCORE]
    decoded = boxes[order].reshape(-1, 6, 2) / DETECTOR_SIDE
    anchors = _anchors()[order]
    centres, sizes = decoded[:, 0] + anchors, decoded[:, 1]
    corners = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)
    overlaps = box_iou(corners, corners)
    kept: list[int] = []
    for index in range(len(order)):
        if not any(overlaps[index, other] > SAME_PERSON for other in kept):
            kept.append(index)
    return [decoded[index, 2:] + anchors[index] for index in kept]


def _anchors() -> np.ndarray:
    """The centres of all anchors' cells, float64 (2254, 2), on the input's scale of 0 to 1."""
    found = []
    for stride, count in ANCHOR_GRIDS:
        centres = (np.arange(DETECTOR_SIDE // stride) + 0.5) * stride / DETECTOR_SIDE
        y, x = np.meshgrid(centres, centres, indexing="ij")
        found.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), count, axis=0))
    return np.concatenate(found)


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(values, -50, 50)))


@dataclass(frozen=True)
class LimbOdds:
    """Log-odds that a worn garment is of a class that leaves a limb bare.

    The defaults are no evidence at all.

    Attributes:
        visible: for each limb whose keypoints are visible: the weights of the skin beside the
            garment (`Region.bare`) and of the limb's bare fraction, and the intercept.
        hidden: for each limb whose keypoints are not: the weight of the skin, and the intercept.
        limit: largest absolute log-odds of one limb; 2.2 is 9 to 1.
    """

    visible: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    hidden: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    limit: float = 2.2

    def __call__(self, region: Region) -> dict[str, float]:
        """The log-odds of a region by limb; none for a garment that nobody wears."""
        if region.bare is None:
            return {}
        odds = {
            limb: skin * region.bare + intercept for limb, (skin, intercept) in self.hidden.items()
        }
        for limb, covered in region.limbs.items():
            if limb in self.visible:
                skin, limb_weight, intercept = self.visible[limb]
                odds[limb] = skin * region.bare + limb_weight * (1 - covered) + intercept
        return {limb: float(np.clip(one, -self.limit, self.limit)) for limb, one in odds.items()}


LIMB_ODDS = FittedFile(
    "limbs", LimbOdds(), "python -m training.parsing.fit_limbs --model {0} --data DIR"
)


def covered_limbs(region: Region, poses: Sequence[Pose]) -> dict[str, float]:
    """The fractions of its wearer's visible limbs that a garment covers: see `Region.limbs`."""
    found = {}
    for name, (limb, body) in LIMBS.items():
        worn = [covered_fraction(region, pose, body) or 0.0 for pose in poses]
        if worn and max(worn) >= MIN_WORN:
            fraction = covered_fraction(region, poses[int(np.argmax(worn))], limb)
            if fraction is not None:
                found[name] = fraction
    return found


def covered_fraction(region: Region, pose: Pose, lines: Lines) -> float | None:
    """The fraction of lines between keypoints that a region covers; None if none is visible."""
    visible = [line for line in lines if min(pose.visibility[list(line)]) >= MIN_VISIBILITY]
    if not visible:
        return None
    first, last = (pose.keypoints[[line[end] for line in visible], None] for end in (0, 1))
    x, y = (first + (last - first) * SAMPLES[:, None]).reshape(-1, 2).T.astype(int)
    left, top, right, bottom = region.window
    inside = (x >= left) & (x < right) & (y >= top) & (y < bottom)
    covered = region.mask[y[inside] - top, x[inside] - left] > 0
    return float(covered.sum()) / len(x)
