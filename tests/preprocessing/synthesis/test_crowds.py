"""Crowds: people cut out by their masks, placed, hidden by others, with exact truth."""

import cv2
import numpy as np
import people
import pytest

from preprocessing.errors import DataError
from preprocessing.images.class_maps import CLASSES, PERSON
from preprocessing.synthesis.crowds import (
    KINDS,
    PeopleScene,
    PersonCutout,
    compose,
    ground,
    read_cutouts,
)

TOP, TROUSERS = CLASSES.index("top"), CLASSES.index("trousers")


def cutout(*, width=40, height=100, colour=200):
    """A rectangle: the upper half a top, the lower half trousers."""
    classes = np.full((height, width), TOP, np.uint8)
    classes[height // 2 :] = TROUSERS
    return PersonCutout(np.full((height, width, 3), colour, np.uint8), classes)


def boxes(person):
    return {layer: box.tolist() for layer, box in person.garments.items()}


def test_people_are_cut_out_of_the_test_split_and_trimmed(tmp_path):
    folder = people.folder(tmp_path)
    assert len(read_cutouts(folder)) == 2  # of 16
    found = read_cutouts(folder, first=10)
    assert len(found) == 7
    for one in found:
        assert set(np.unique(one.classes)) == {0, PERSON, TOP, TROUSERS}
        assert one.classes[0].any() and one.classes[-1].any() and one.classes[:, 0].any()
        assert one.image.shape == (*one.classes.shape, 3)


def test_people_in_suits_are_left_out(tmp_path):
    folder = people.folder(tmp_path)
    with (folder / "labels.csv").open("a") as file:
        file.write("9,suit,1\n")
    for number in (14, 15):
        path = str(folder / f"masks/street-{number}.png")
        mask = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
        mask[80, 60] = 9
        cv2.imwrite(path, mask)
        found = read_cutouts(folder) if number == 14 else None
        assert found is None or len(found) == 1
    with pytest.raises(DataError, match="test split has no clear mask"):
        read_cutouts(folder)
    with pytest.raises(DataError, match="from number 17 on"):
        read_cutouts(folder, first=17)


def test_only_what_is_visible_is_true():
    scene = PeopleScene(np.zeros((100, 200, 3), np.uint8))
    scene.place(0, cutout(), left=0, top=0)
    scene.place(1, cutout(), left=20, top=40)  # its last 40 rows are outside
    found = scene.people()
    assert found[0].box.tolist() == [0, 0, 40, 100]
    assert boxes(found[0]) == {"top": [0, 0, 40, 50], "trousers": [0, 50, 20, 100]}
    assert boxes(found[1]) == {"top": [20, 40, 60, 90], "trousers": [20, 90, 60, 100]}
    assert (scene.image[20, 10] == 200).all() and not scene.image[20, 60:].any()
    scene.place(2, cutout(width=400, height=400), left=-100, top=-100)
    assert list(scene.people()) == [2]
    scene.place(3, cutout(), left=200, top=0)
    assert list(scene.people()) == [2]


def test_little_of_a_garment_does_not_count():
    scene = PeopleScene(np.zeros((200, 200, 3), np.uint8))
    scene.place(0, cutout(width=4, height=28), left=0, top=0)  # 56 of 40,000 pixels each
    assert boxes(scene.people()[0]) == {}
    scene.place(1, cutout(width=4, height=30), left=50, top=0)  # 60
    assert boxes(scene.people()[1]).keys() == {"top", "trousers"}


@pytest.mark.parametrize("name", KINDS)
def test_scenes_are_of_their_kind(name):
    kind = KINDS[name]
    some = [cutout(), cutout(colour=90)]
    scene, again = (
        compose(kind, cutouts=some, rooms=[], rng=np.random.default_rng(3)) for _ in range(2)
    )
    assert scene.image.shape == (kind.height, kind.width, 3)
    assert (scene.image == again.image).all()
    assert len(scene.people) == kind.people
    for person in scene.people:
        height = person.box[3] - person.box[1]
        assert abs(height / kind.height - kind.share) < 0.01
        assert (person.box[3] == kind.height) == (kind.share > 0.5)
        assert person.garments.keys() == ({"top"} if kind.half else {"top", "trousers"})


def test_wide_people_shrink_to_their_slot():
    scene = compose(
        KINDS["five"], cutouts=[cutout(width=100)], rooms=[], rng=np.random.default_rng(0)
    )
    widths = [person.garments["top"][2] - person.garments["top"][0] for person in scene.people]
    assert max(widths) == round(1.15 * 1280 / 5)


def test_grounds_are_rooms_mirrored_or_not_and_two_colours():
    room = np.zeros((30, 40, 3), np.uint8)
    room[:, :20] = 255
    rng, sides = np.random.default_rng(0), []
    for _ in range(60):
        image = ground((80, 60), [room], rng)
        assert image.shape == (60, 80, 3) and image.dtype == np.uint8
        sides.append((int(image[30, 10, 0]), int(image[30, 70, 0])))
    assert 10 < sides.count((255, 0)) < 30 and 10 < sides.count((0, 255)) < 30
    assert len(set(sides)) > 10  # the rest, about a third
