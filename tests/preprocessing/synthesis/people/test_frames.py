"""Frames with boxes of what is visible of people."""

import numpy as np
import pytest

from preprocessing.synthesis.cameras import Camera
from preprocessing.synthesis.people.frames import FrameComposer, alone, visible_box
from preprocessing.synthesis.people.rendering import Item, Scene
from preprocessing.synthesis.people.sprites import Sprite

CAMERA = Camera(np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2))


def person(x, y):
    """A sprite of 20 by 40 pixels at a place."""
    sprite = Sprite(np.full((40, 20, 3), 90, np.uint8), np.full((40, 20), 2, np.uint8))
    return Item(sprite, np.array([[1.0, 0, x], [0, 1.0, y]]), True)


@pytest.mark.parametrize(
    ("item", "hidden", "box"),
    [
        (person(10, 10), np.s_[0:0], (10, 10, 30, 50)),
        (person(10, 10), np.s_[30:80], (10, 10, 30, 30)),  # the lower half
        (person(10, 10), np.s_[18:80], None),  # all but a fifth
        (person(10, 70), np.s_[0:0], None),  # low in the frame: under 12 pixels of it
        (person(10, 78), np.s_[0:0], None),  # all but a twentieth outside
    ],
)
def test_boxes_of_visible_people(item, hidden, box):
    shown = np.zeros((80, 100), bool)
    x, y = int(item.place[0, 2]), int(item.place[1, 2])
    shown[y : y + 40, x : x + 20] = True
    shown[hidden] = False
    shown[79, 99] = True  # a speck
    found = visible_box(item, shown, np.eye(2, 3))
    assert (found is None) if box is None else np.array_equal(found, box)


def test_photos_that_may_show_strangers_are_not_shown():
    classes = np.zeros((80, 100), np.uint8)
    classes[10:60, 20:50] = 2
    image = np.zeros((80, 100, 3), np.uint8)

    def photo(classes, *, exact):
        sprite = Sprite(image, classes, exact)
        return Scene((100, 80), CAMERA, items=[Item(sprite, np.eye(2, 3), True, whole=True)])

    found = alone(photo(classes, exact=False))
    assert found is not None and found.items[0].sprite.classes.max() == 1
    assert alone(photo(classes, exact=True)) is None  # masks by hand leave strangers out
    classes[20:40, 80:90] = 1
    assert alone(photo(classes, exact=False)) is None


def test_frames_of_a_side_with_boxes_inside(materials):
    composer = FrameComposer(materials, np.random.default_rng(0), side=128)
    counts = []
    for _ in range(40):
        frame = composer.frame()
        height, width = frame.image.shape[:2]
        assert max(height, width) == 128 and frame.boxes.dtype == np.float32
        counts.append(len(frame.boxes))
        for x1, y1, x2, y2 in frame.boxes:
            assert 0 <= x1 < x2 <= width and y1 >= 0 and y1 + 12 <= y2 <= height
    assert min(counts) == 0 and max(counts) > 1
