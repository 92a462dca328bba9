"""Garments person by person, from a detector and a parser that always answer the same."""

from types import SimpleNamespace

import numpy as np
import pytest

from preprocessing.images.class_maps import CLASSES
from preprocessing.images.regions import Person
from preprocessing.labels import LAYERS
from realtime.analysis.people_locator import PeopleLocator, without_doubles
from realtime.types import Region
from training.inference.detector import Detections
from training.inference.people import LEAST_SIDE, PeopleFinder

IMAGE = np.zeros((480, 640, 3), np.uint8)
WHOLE = Region.from_box(np.float32((100, 100, 400, 300)))
SPECK = Region.from_box(np.float32((220, 130, 420, 350)))  # 14.3 % of the image
ASIDE = Region.from_box(np.float32((0, 0, 300, 200)))  # a curtain


class Parser:
    """Gives a top below a face in every crop, and remembers the crops' shapes."""

    def __init__(self):
        self.shapes = []

    def parse(self, image):
        self.shapes.append(image.shape[:2])
        height, width = image.shape[0] // 4, image.shape[1] // 4
        found = np.full((len(CLASSES), height, width), 0.01, np.float32)
        labels = np.zeros((height, width), int)
        labels[height // 4 : height // 2, width // 4 : 3 * width // 4] = CLASSES.index("top")
        labels[height // 8 : height // 4, width // 3 : 2 * width // 3] = CLASSES.index("person")
        np.put_along_axis(found, labels[None], 0.9, axis=0)
        return found


class Frames:
    """Stands for the locator of whole frames."""

    info, streams = SimpleNamespace(name="parser"), 2
    wanted = staticmethod(lambda region: region.scores.argmax() != LAYERS.index("hat"))

    def __call__(self, image):
        return [WHOLE, SPECK, ASIDE]


def locator(*boxes):
    found = Detections(np.float32(boxes).reshape(-1, 4), np.full((len(boxes), 1), 0.9, np.float32))
    parser = Parser()
    return PeopleLocator(PeopleFinder(lambda image: found, parser, None), Frames()), parser


def test_each_person_has_a_crop_and_garments_of_their_own():
    people, parser = locator((40, 100, 140, 300), (300, 40, 500, 460))
    near, far = people(IMAGE)
    assert near.wearer.box.tolist() == [300, 40, 500, 460]
    assert far.wearer.box.tolist() == [40, 100, 140, 300]
    assert parser.shapes == [(320, 160), (320, 160)]
    assert 300 < near.box[0] < near.box[2] < 500 and 40 < far.box[0] < far.box[2] < 140
    assert people.info.name == "parser" and people.streams == 2


@pytest.mark.parametrize("boxes", [[], [(10, 10, 10 + LEAST_SIDE - 1, 100)]])
def test_a_frame_without_people_is_parsed_as_a_whole_for_what_it_shows(boxes):
    assert locator(*boxes)[0](IMAGE) == [WHOLE]


def test_a_frame_is_parsed_as_a_whole_if_no_crop_shows_a_body():
    people, parser = locator((40, 100, 140, 300))
    parser.parse = lambda image: np.full((len(CLASSES), 80, 40), 0.01, np.float32)
    assert people(IMAGE) == [WHOLE]


def region(layer, box, score, wearer):
    scores = np.zeros(len(LAYERS), np.float32)
    scores[LAYERS.index(layer)] = score
    made = Region.from_box(np.float32(box), scores)
    return Region(made.box, made.mask, scores, wearer=wearer)


def test_of_two_people_only_the_surer_one_keeps_a_garment():
    first, second = Person(np.zeros(4)), Person(np.zeros(4))
    shared = region("top", (0, 0, 100, 100), 0.6, first)
    sure = region("top", (5, 0, 100, 100), 0.8, second)
    under = region("outer", (0, 0, 100, 100), 0.7, first)
    beside = region("top", (90, 0, 200, 100), 0.7, first)
    assert without_doubles([shared, under, sure, beside]) == [under, sure, beside]
    assert without_doubles([]) == []


def test_a_locator_that_remembers_takes_one_frame_after_the_other_and_is_another_for_each_source():
    found = Detections(np.float32([(40, 100, 140, 300)]), np.full((1, 1), 0.9, np.float32))
    searched = []
    finder = PeopleFinder(lambda image: searched.append(1) or found, Parser(), None)
    people = PeopleLocator(finder, Frames(), remembers=True)
    assert people.streams == 1
    for _ in range(2):
        assert len(people(IMAGE)) == 1
    assert len(searched) == 1
    people.fresh()(IMAGE)
    assert len(searched) == 2
