"""Windows of scenes: places of crops, who hides whom, and what is outside of the frame."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from preprocessing.synthesis.cameras import Camera
from preprocessing.synthesis.people.rendering import NOBODY, Item, Rendered, Scene, render
from preprocessing.synthesis.people.sprites import Sprite

CAMERA = Camera(np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2))  # as it is


def square(value, x, y, *, person=True, side=20):
    """A sprite of one colour and class at a place in the frame."""
    image, classes = np.full((side, side, 3), value, np.uint8), np.full((side, side), 2, np.uint8)
    return Item(Sprite(image, classes), np.array([[1.0, 0, x], [0, 1.0, y]]), person)


def scene(*items):
    return Scene((100, 80), CAMERA, items=list(items))


def test_the_nearer_person_hides_the_farther():
    found = render(scene(square(100, 10, 10), square(200, 20, 10)), np.array([0, 0, 100, 80]),
                   (80, 100), seed=0)  # fmt: skip
    assert (found.image[20, 15] == 100).all() and (found.image[20, 25] == 200).all()
    assert found.owners[20, 15] == 0 and found.owners[20, 25] == 1 and found.owners[5, 5] == NOBODY
    assert found.classes[20, 25] == 2 and found.classes[5, 5] == 0


def test_obstacles_are_background():
    found = render(scene(square(100, 10, 10), square(200, 20, 10, person=False)),
                   np.array([0, 0, 100, 80]), (80, 100), seed=0)  # fmt: skip
    assert (found.image[20, 25] == 200).all()
    assert found.owners[20, 25] == NOBODY and found.classes[20, 25] == 0


def test_a_window_is_the_same_at_any_size_and_black_outside_of_the_frame():
    made, window = scene(square(100, 30, 30, side=40)), np.array([-20, 20, 60, 60])
    for shape in ((20, 40), (80, 160)):
        found = render(made, window, shape, seed=0)
        assert found.image.shape == (*shape, 3)
        assert (found.image[:, : shape[1] // 4 - 1] == 0).all()
        assert (found.owners == 0).mean() == pytest.approx(30 * 30 / (80 * 40), abs=0.03)


def test_a_whole_photo_brings_its_background():
    image, classes = np.full((80, 100, 3), 60, np.uint8), np.zeros((80, 100), np.uint8)
    classes[20:40, 20:40] = 3
    photo = Item(Sprite(image, classes), np.eye(2, 3), True, whole=True)
    found = render(scene(photo), np.array([0, 0, 100, 80]), (80, 100), seed=0)
    assert (found.image == 60).all()
    assert found.owners[30, 30] == 0 and found.owners[10, 10] == NOBODY


def test_the_camera_photographs_a_window_and_its_noise_has_a_seed():
    made = replace(scene(square(100, 10, 10)), camera=replace(CAMERA, noise=9.0))
    first, again, other = (
        render(made, np.array([0, 0, 100, 80]), (80, 100), seed=seed).image for seed in (1, 1, 2)
    )
    assert (first == again).all() and (first != other).any()


def test_a_lens_that_bends_moves_classes_and_owners_along():
    image, classes = np.zeros((60, 80, 3), np.uint8), np.zeros((60, 80), np.uint8)
    image[10:50, 10:70], classes[10:50, 10:70] = 200, 3
    straight = Rendered(image, classes, np.where(classes == 3, 0, NOBODY).astype(np.uint8))
    found = straight.bent(0.2)
    assert found.classes[30, 40] == 3 and (found.image[30, 40] == 200).all()
    inner = cv2.erode((found.classes == 3).astype(np.uint8), np.ones((5, 5))).astype(bool)
    assert (found.image[inner] == 200).all() and ((found.owners == 0) == (found.classes == 3)).all()
    assert found.classes[0, 0] == 0 and found.owners[0, 0] == NOBODY  # beyond the lens
    assert straight.bent(0.0) is straight
