"""People in a frame, each parsed in a crop of their own, by which their detection is confirmed.

The detector's scores do not tell people from curtains, hanging clothes and bottles, and it misses
who sits, bends or lies. So detections of a low score count if the crop shows a body and the network
of keypoints agrees, and where some do not count, or there are none, the network of poses searches
the frame for others.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from preprocessing.images.class_maps import FIRST, PERSON, worn_garments
from preprocessing.images.person_crops import CropWindow
from preprocessing.images.poses import Square
from preprocessing.images.regions import Person, Region, box_iou
from training.inference.detector import Detector
from training.inference.parser import FrameParser
from training.inference.pose import PoseEstimator, confirmed_pose

CANDIDATE = 0.3  # score of a detection, from which it may be a person
MOST = 12  # people of a frame, the surest first
MOST_CANDIDATES = 24
LEAST_SIDE = 12  # pixels of a person's shorter side
SMALL = 0.15  # of a frame's height; smaller people have to be detected surely, bottles are not
INSIDE = 0.8  # of the smaller box, within the other, from which two may be of one person
SAME_HEAD = 0.15  # of their height, within which the upper ends of such boxes are one head
UNSURE = 0.6  # of the surer one's score, below which a box within another is a part
SAME_PERSON = 0.4  # IoU of boxes, from which they are of one person
SAME_BODY = 0.6  # IoU of the body that keypoints show with another one's box, of one person
LARGER = 0.25  # exponent of a box's area, beside its score, in the order of detections
POSE_SCORE = 0.5  # of people whom the network of poses finds
COVERED = 0.5  # of such a person's box, within another's, from which both may be of one person
# Fractions of a person's box that skin and hair, and garments, cover. Measured on people composed
# into rooms (316) and on what else was detected there and in two real rooms (63): of the people
# 98 % have more than BODY, of the curtains, beds and hanging clothes 9 %. All of these that have
# more lack a PRESENCE of 0.5, but for parts of people and a bottle.
BODY, CLOTH = 0.02, 0.1
PRESENCE = 0.5  # least probability of keypoints
# With surer keypoints: people seen from behind show neither skin nor hair but much cloth; of people
# in dim places, and of wide boxes of people who sit, the parser recognises little.
SURE_PRESENCE, MUCH_CLOTH = 0.9, 0.25
LITTLE_BODY, LITTLE_CLOTH = 0.01, 0.03
UNDETECTED = 0.98  # presence of people whom the detector misses; a bed reaches 0.97
# People whom a border or others cut may have no keypoints: a high score and a clear body.
SURE_SCORE, CLEAR_BODY = 0.8, 0.05


@dataclass(frozen=True, eq=False)
class ParsedPerson:
    """A person, and the class probabilities float32 (classes, h, w) of their crop's cells."""

    person: Person
    window: CropWindow
    probabilities: np.ndarray

    def garments(self, *, width: int, height: int) -> list[Region]:
        """The garments that the person wears in a frame of that size, largest first."""
        return worn_garments(self.probabilities, self.window, self.person, limits=(width, height))


class PeopleFinder:
    """Finds and parses people.

    Args:
        detector: of the one class `person`.
        poses: None where its networks are not installed; then the crops alone confirm people.
    """

    def __init__(self, detector: Detector, parser: FrameParser, poses: PoseEstimator | None):
        self._detector, self._parser, self._poses = detector, parser, poses

    def __call__(self, image: np.ndarray) -> list[ParsedPerson]:
        """The people in a BGR image (H, W, 3), the largest first."""
        found: list[ParsedPerson] = []
        doubt = self._add(found, image, self._detected(image))
        if self._poses and (doubt or not found):
            self._add(found, image, self._posing(found, image, self._poses))
        return sorted(found, key=lambda one: -_area(one.person.box))

    def parse(self, image: np.ndarray, person: Person) -> ParsedPerson:
        """Somebody in a BGR image (H, W, 3) who needs no confirmation."""
        window = CropWindow.around(person.box)
        return ParsedPerson(person, window, self._parser.parse(window.crop(image)))

    def _detected(self, image: np.ndarray) -> Iterator[Person]:
        """People as detected: the surest first, but whole ones before their parts."""
        detections = self._detector(image)
        people = [
            Person(box, float(score))
            for box, score in zip(detections.boxes, detections.confidences, strict=True)
        ]
        yield from sorted(people, key=lambda one: -one.score * _area(one.box) ** LARGER)[
            :MOST_CANDIDATES
        ]

    def _posing(
        self, found: list[ParsedPerson], image: np.ndarray, poses: PoseEstimator
    ) -> Iterator[Person]:
        """People whom the network of poses finds beside those who are found already."""
        height, width = image.shape[:2]
        for square in poses.detect(image):
            if any(_holds(one.person.box, square) for one in found):
                continue
            pose = confirmed_pose(poses, image, square)
            box = pose.body(width=width, height=height) if pose else None
            if box is not None and not any(
                _shared(box, one.person.box) >= COVERED * _area(box) for one in found
            ):
                yield Person(box, POSE_SCORE, pose=pose)

    def _add(
        self, found: list[ParsedPerson], image: np.ndarray, candidates: Iterator[Person]
    ) -> bool:
        """Add the candidates whose crops show a person, unless they are a part of one before.

        Returns:
            True if a candidate is none: a place where the detector errs.
        """
        doubt = False
        for person in candidates:
            if len(found) == MOST:
                return doubt
            if not _plausible(person, height=len(image)):
                continue
            if not any(part_of(person, one.person) for one in found):
                parsed = self._parsed(image, person)
                if parsed and not any(
                    _same_body(parsed.person, one.person, image) for one in found
                ):
                    found.append(parsed)
                doubt |= parsed is None
        return doubt

    def _parsed(self, image: np.ndarray, person: Person) -> ParsedPerson | None:
        """A candidate with a crop; None if the crop does not show a person."""
        parsed = self.parse(image, person)
        body, cloth = body_and_cloth(parsed.probabilities, parsed.window, person.box)
        clear = body >= BODY and cloth >= CLOTH
        if clear and (self._poses is None or _sure(person, body)):
            return parsed
        little = cloth >= MUCH_CLOTH or (body >= LITTLE_BODY and cloth >= LITTLE_CLOTH)
        if self._poses is None or not (clear or little):
            return None
        square = Square.of_person(person.box, height=len(image))
        pose = person.pose or confirmed_pose(self._poses, image, square)
        least = PRESENCE if clear else SURE_PRESENCE
        if pose is None or pose.presence < (UNDETECTED if person.pose else least):
            return None
        return replace(parsed, person=replace(person, pose=pose))


def _same_body(person: Person, other: Person, image: np.ndarray) -> bool:
    """True if the keypoints in a person's box are those of another person."""
    body = person.pose.body(width=image.shape[1], height=image.shape[0]) if person.pose else None
    return body is not None and box_iou(body[None], other.box[None])[0, 0] >= SAME_BODY


def _sure(person: Person, body: float) -> bool:
    """True for a person who needs no keypoints."""
    return person.score >= SURE_SCORE and body >= CLEAR_BODY


def _holds(box: np.ndarray, square: Square) -> bool:
    """True if a square's centre, the hips, lies in a box xyxy (4,)."""
    return bool(box[0] <= square.x <= box[2] and box[1] <= square.y <= box[3])


def _plausible(person: Person, *, height: int) -> bool:
    """True for a person who is large enough to be judged by a crop, or detected surely."""
    sides = person.box[2:] - person.box[:2]
    small = sides.max() < SMALL * height
    return bool(sides.min() >= LEAST_SIDE and (person.score >= SURE_SCORE or not small))


def body_and_cloth(
    probabilities: np.ndarray, window: CropWindow, box: np.ndarray
) -> tuple[float, float]:
    """The fractions of a box xyxy (4,) that show skin or hair, and garments."""
    height, width = probabilities.shape[1:]
    across, down = (np.array([width, height]) / (window.sides[2:] - window.sides[:2])).tolist()
    corner = window.sides[:2]
    x1, y1 = np.clip(np.floor((box[:2] - corner) * (across, down)), 0, None).astype(int)
    x2, y2 = np.ceil((box[2:] - corner) * (across, down)).astype(int)
    labels = probabilities[:, y1:y2, x1:x2].argmax(axis=0)
    return float((labels == PERSON).mean()), float((labels >= FIRST).mean())


def part_of(person: Person, other: Person) -> bool:
    """True if a person's box and a surer one's are of the same person.

    A box within another is the same person's if both begin at the same head, or if it is much less
    sure; else somebody smaller stands before somebody large.
    """
    first, second = person.box, other.box
    if box_iou(first[None], second[None])[0, 0] >= SAME_PERSON:
        return True
    if _shared(first, second) < INSIDE * min(_area(first), _area(second)):
        return False
    height = max(first[3] - first[1], second[3] - second[1])
    one_head = abs(first[1] - second[1]) < SAME_HEAD * height
    return one_head or person.score < UNSURE * other.score


def _shared(first: np.ndarray, second: np.ndarray) -> float:
    """The area that two boxes xyxy (4,) have in common."""
    common = np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2])
    return float(np.clip(common, 0, None).prod())


def _area(box: np.ndarray) -> float:
    return float(np.prod(box[2:] - box[:2]))
