"""People that crops and keypoints confirm, from networks that always answer the same."""

import numpy as np
import pytest

from preprocessing.images.class_maps import CLASSES
from preprocessing.images.person_crops import CropWindow
from preprocessing.images.poses import Pose, Square
from preprocessing.images.regions import Person
from training.inference.detector import Detections
from training.inference.people import PeopleFinder, body_and_cloth, part_of

IMAGE = np.zeros((480, 640, 3), np.uint8)
BOX = (100, 100, 200, 400)


class Parser:
    """Shows a body and cloth in the given fractions of every crop's rows."""

    def __init__(self, body, cloth):
        self.body, self.cloth, self.crops = body, cloth, 0

    def parse(self, image):
        self.crops += 1
        height, width = image.shape[0] // 4, image.shape[1] // 4
        found = np.zeros((len(CLASSES), height, width), np.float32)
        first, second = (round(share * height) for share in (self.body, self.body + self.cloth))
        found[CLASSES.index("person"), :first] = 1
        found[CLASSES.index("top"), first:second] = 1
        found[0, second:] = 1
        return found


class Poses:
    """Finds one pose in a frame, and the same in every square."""

    def __init__(self, presence):
        self.pose = Pose(
            np.float32([(300, 100), (340, 300)] * 17)[:33], np.ones(33, np.float32),
            Square(320, 200, 250, 0), presence,
        )  # fmt: skip

    def detect(self, image):
        return [self.pose.square]

    def estimate(self, image, square):
        return self.pose


def finder(parser, poses, *, score=0.5, boxes=(BOX,)):
    found = Detections(
        np.float32(boxes).reshape(-1, 4), np.full((len(boxes), 1), score, np.float32)
    )
    return PeopleFinder(lambda image: found, parser, poses)


@pytest.mark.parametrize(
    ("body", "cloth", "presence", "score", "confirmed"),
    [
        (0.2, 0.4, 0.6, 0.5, True),
        (0.2, 0.4, 0.4, 0.5, False),  # hanging clothes beside hands
        (0.2, 0.4, 0.1, 0.85, True),  # cut by a border: no keypoints
        (0.0, 0.4, 0.7, 0.85, False),  # a curtain
        (0.0, 0.4, 0.95, 0.5, True),  # somebody from behind
        (0.0, 0.15, 0.95, 0.5, False),  # a bed
        (0.1, 0.05, 0.95, 0.5, True),  # somebody in a dim place
        (0.1, 0.05, 0.8, 0.5, False),
        (0.2, 0.0, 0.95, 0.9, False),  # nothing that could be named
    ],
)
def test_a_detection_is_confirmed_by_its_crop_and_keypoints(
    body, cloth, presence, score, confirmed
):
    people = finder(Parser(body, cloth), Poses(presence), score=score)
    found = [one.person.box.tolist() for one in people(IMAGE) if one.person.box[0] < 250]
    assert found == [[100, 100, 200, 400]] * confirmed


@pytest.mark.parametrize(("presence", "people"), [(0.99, 1), (0.95, 0)])
def test_who_is_not_detected_is_found_by_the_pose(presence, people):
    found = finder(Parser(0.2, 0.4), Poses(presence), boxes=())(IMAGE)
    assert len(found) == people
    for one in found:
        assert one.person.box == pytest.approx(np.array((288, 80, 352, 304)))
        assert one.person.pose.presence == presence


def test_keypoints_of_somebody_else_add_nobody():
    boxes = [(280, 80, 360, 310), (350, 80, 420, 300)]
    people = finder(Parser(0.2, 0.4), Poses(0.95), boxes=boxes)
    assert [one.person.box[0] for one in people(IMAGE)] == [280]


def test_a_body_that_goes_on_below_a_found_one_is_the_same():
    """Of half bodies the hips lie outside of the box, and of the picture."""
    people = finder(Parser(0.2, 0.4), Poses(0.95), boxes=[(270, 60, 370, 195)])(IMAGE)
    assert [one.person.box[1] for one in people] == [60]


def test_poses_are_searched_for_where_the_detector_errs():
    curtain, clear = (500, 100, 600, 400), BOX
    parser, poses = Parser(0.2, 0.4), Poses(0.99)
    alone = finder(parser, poses, score=0.9, boxes=[clear])
    assert [one.person.box[0] for one in alone(IMAGE)] == [100]  # nothing is in doubt
    poses.estimate = lambda image, square: None if square.x > 400 else poses.pose
    beside = finder(parser, poses, score=0.7, boxes=[curtain])
    assert [one.person.box[0] for one in beside(IMAGE)] == pytest.approx([288])


def test_the_pose_of_who_is_detected_is_not_searched():
    people = finder(Parser(0.2, 0.4), Poses(0.95), boxes=[BOX, (290, 90, 350, 310)])(IMAGE)
    assert [one.person.score for one in people] == [0.5, 0.5]
    assert [one.person.box[0] for one in people] == [100, 290]


@pytest.mark.parametrize(("body", "people"), [(0.2, 1), (0.01, 0)])
def test_without_pose_networks_the_crop_decides(body, people):
    assert len(finder(Parser(body, 0.4), None)(IMAGE)) == people


@pytest.mark.parametrize(("score", "people"), [(0.5, 0), (0.9, 1)])
def test_small_people_have_to_be_detected_surely(score, people):
    found = finder(Parser(0.2, 0.4), None, score=score, boxes=[(10, 10, 40, 70)])(IMAGE)
    assert len(found) == people


def test_a_part_of_a_person_is_not_parsed():
    parser = Parser(0.2, 0.4)
    people = finder(parser, None, boxes=[BOX, (110, 105, 190, 260), (300, 100, 400, 400)])
    assert len(people(IMAGE)) == 2 and parser.crops == 2


@pytest.mark.parametrize(
    ("box", "score", "part"),
    [
        ((110, 105, 190, 260), 0.8, True),  # head and shoulders of the same person
        ((110, 260, 190, 400), 0.3, True),  # legs, much less sure
        ((105, 110, 215, 400), 0.8, True),  # the same once more
        ((110, 200, 160, 400), 0.8, False),  # a child before an adult
        ((180, 100, 280, 400), 0.8, False),  # a neighbour
    ],
)
def test_a_part_of_a_person_is_nobody_else(box, score, part):
    assert part_of(Person(np.float32(box), score), Person(np.float32(BOX), 0.9)) == part


def test_fractions_are_those_of_the_box_and_not_of_its_crop():
    box = np.float32(BOX)
    window = CropWindow.around(box)
    planes = Parser(0.25, 0.5).parse(window.crop(IMAGE))
    body, cloth = body_and_cloth(planes, window, box)
    # The crop is 1.15 times as high: its upper 6.5 % lie above the box.
    assert body == pytest.approx((0.25 - 0.065) * 1.15, abs=0.02)
    assert cloth == pytest.approx(0.5 * 1.15, abs=0.02)
