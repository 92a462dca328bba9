"""Squares around people, and the boxes that keypoints give."""

import numpy as np
import pytest

from preprocessing.images.poses import Pose, Square


def test_a_square_is_upright_on_its_person():
    lying = Square.around(np.array((100.0, 50.0)), np.array((140.0, 50.0)))  # head to the right
    assert (lying.x, lying.y, lying.side) == (100, 50, 100)
    top = lying.to_image(np.array([(0.5, 0.0)]))
    assert top == pytest.approx(np.array([(150.0, 50.0)]))
    image = np.zeros((120, 200, 3), np.uint8)
    image[45:55, 130:140] = 255  # near the head
    rows, columns = np.nonzero(lying.crop(image, 64)[..., 0] > 127)
    assert rows.mean() < 16 and columns.mean() == pytest.approx(32, abs=1)


def test_bodies_go_on_below_the_lower_border():
    whole = np.array((80, 10, 100, 90), np.float32)
    square = Square.of_person(whole, height=100)
    assert (square.x, square.y, square.side) == pytest.approx((90, 52.4, 104))
    square = Square.of_person(np.array((60, 20, 120, 100), np.float32), height=100)
    assert (square.x, square.y, square.side) == pytest.approx((90, 88, 172))


def test_a_body_reaches_beyond_its_keypoints_but_not_beyond_the_image():
    keypoints = np.full((33, 2), 50, np.float32)
    keypoints[:2] = (40, 20), (60, 120)
    pose = Pose(keypoints, np.ones(33, np.float32), Square(50, 60, 100, 0))
    assert pose.body(width=200, height=121) == pytest.approx(np.array((34, 10, 66, 121)))
    hidden = Pose(keypoints, np.zeros(33, np.float32), pose.square)
    assert hidden.body(width=200, height=121) is None
