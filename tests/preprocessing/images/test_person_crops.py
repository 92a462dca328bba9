"""Windows around people, and what their crops show."""

import numpy as np
import pytest

from preprocessing.images.person_crops import SHAPES, CropWindow

TALL, UPRIGHT, SQUARE = SHAPES


@pytest.mark.parametrize(
    ("box", "sides", "shape"),
    [
        ((0, 0, 100, 200), [-7.5, -15, 107.5, 215], TALL),
        ((0, 0, 130, 200), [-15.5, -15, 145.5, 215], UPRIGHT),
        ((0, 0, 200, 100), [-15, -65, 215, 165], SQUARE),  # never wider than high
    ],
)
def test_the_window_keeps_the_middle_in_the_narrowest_shape(box, sides, shape):
    window = CropWindow.around(np.float32(box))
    assert window.shape == shape
    assert window.sides == pytest.approx(np.array(sides), abs=0.1)


@pytest.mark.parametrize("factor", [1, 4])  # also where the crop is drawn from a reduced frame
def test_a_crop_is_scaled_and_black_outside_of_the_frame(factor):
    image = np.zeros((400 * factor, 400 * factor, 3), np.uint8)
    image[:, : 100 * factor] = 90
    image[100 * factor : 300 * factor, 100 * factor : 200 * factor] = 200
    box = np.float32((0, 100, 200, 300)) * factor
    crop = CropWindow.around(box).crop(image)
    assert crop.shape == (*SQUARE, 3)
    middle = crop[128]
    left, right = round(15 / 230 * 256), round(115 / 230 * 256)
    assert (middle[: left - 2] == 0).all()
    assert (middle[left + 2 : right - 2] == 90).all()
    assert (middle[right + 2 : right + 100] == 200).all()


def test_a_window_outside_of_the_frame_is_black():
    window = CropWindow.around(np.float32((900, 900, 1000, 1100)))
    assert not window.crop(np.full((50, 50, 3), 255, np.uint8)).any()
