"""People who are parsed where they were found before, and when they are detected anew."""

import numpy as np
import pytest

from preprocessing.images.class_maps import BACKGROUND, CLASSES
from preprocessing.images.person_crops import CropWindow
from preprocessing.images.regions import Person
from realtime.analysis.known_people import REUSES, KnownPeople
from training.inference.people import ParsedPerson

ONE, NEAR, FAR = (100, 100, 200, 400), (180, 100, 280, 400), (400, 100, 500, 400)
GREY = np.full((480, 640, 3), 120, np.uint8)


class Finder:
    """Finds people at boxes, and counts how often they are searched and parsed.

    Attributes:
        moved: cells by which they have moved in their crops since they were found.
    """

    def __init__(self, *boxes):
        self.boxes, self.searched, self.parsed, self.moved = boxes, 0, 0, 0

    def __call__(self, image):
        self.searched += 1
        return [self._shown(Person(np.float32(box), pose="keypoints"), 0) for box in self.boxes]

    def parse(self, image, person):
        self.parsed += 1
        assert person.pose is None  # keypoints are those of another frame
        return self._shown(person, self.moved)

    def _shown(self, person, moved):
        probabilities = np.zeros((len(CLASSES), 80, 40), np.float32)
        probabilities[BACKGROUND] = 1
        probabilities[:, 10:70, 10 + moved : 30 + moved] = 0
        probabilities[CLASSES.index("top"), 10:70, 10 + moved : 30 + moved] = 1
        return ParsedPerson(person, CropWindow.around(person.box), probabilities)


def searches(finder, images):
    """The number of searches after each image."""
    people, found = KnownPeople(finder), []
    for image in images:
        assert len(people(image)) == len(finder.boxes)
        found.append(finder.searched)
    return found


def with_patch(x):
    """The plain frame with something bright, 40 pixels wide, at x."""
    image = GREY.copy()
    image[200:280, x : x + 40] = 250
    return image


@pytest.mark.parametrize("boxes", [(ONE,), (ONE, FAR)])
def test_who_stays_in_place_is_searched_for_once_in_three_looks(boxes):
    finder = Finder(*boxes)
    assert REUSES == 2
    assert searches(finder, [GREY] * 7) == [1, 1, 1, 2, 2, 2, 3]
    assert finder.parsed == 4 * len(boxes)


@pytest.mark.parametrize("boxes", [(), (ONE, NEAR)])
def test_nobody_and_people_side_by_side_are_searched_for_in_each_look(boxes):
    finder = Finder(*boxes)
    assert searches(finder, [GREY] * 3) == [1, 2, 3]
    assert finder.parsed == 0


def test_something_new_beside_them_is_looked_at():
    assert searches(Finder(ONE), [GREY, GREY, with_patch(500)]) == [1, 1, 2]


def test_what_moves_before_them_is_no_newcomer():
    assert searches(Finder(ONE), [GREY, GREY, with_patch(130)]) == [1, 1, 1]


@pytest.mark.parametrize(("moved", "searched"), [(2, 1), (3, 2)])  # IoU 18/22, 17/23
def test_who_leaves_the_place_is_searched_for(moved, searched):
    finder = Finder(ONE)
    people = KnownPeople(finder)
    people(GREY)
    finder.moved = moved
    people(GREY)
    assert finder.searched == searched


def test_frames_of_another_size_begin_anew():
    finder = Finder(ONE)
    people = KnownPeople(finder)
    people(GREY)
    people(np.full((480, 854, 3), 120, np.uint8))
    assert finder.searched == 2
