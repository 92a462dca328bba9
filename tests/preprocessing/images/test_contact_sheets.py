"""Sheets of small pictures: their size, their marks, which pictures they show."""

import numpy as np
import pytest

from preprocessing.images.contact_sheets import (
    CAPTION_HEIGHT,
    Mark,
    contact_sheet,
    marked_tile,
    picture_sheet,
)
from preprocessing.images.pictures import write_image


@pytest.mark.parametrize(
    ("count", "captions", "scale", "shape"),
    [
        (1, None, 1, (12, 36, 3)),
        (4, None, 1, (24, 36, 3)),
        (2, ["a", "b", "c"], 1, (12 + CAPTION_HEIGHT, 36, 3)),
        (3, None, 3, (32, 96, 3)),
    ],
)
def test_the_size_of_a_sheet(count, captions, scale, shape):
    images = [np.full((10, 10), 200, np.uint8)] * count
    sheet = contact_sheet(images, columns=3, captions=captions, scale=scale)
    assert sheet.shape == shape and sheet.dtype == np.uint8
    assert (sheet[:10, :10] == 200).all() and (sheet[0, 10 * scale + 1] < 100).all()


def test_marks_are_scaled_with_their_picture():
    image = np.zeros((100, 200, 3), np.uint8)
    tile = marked_tile(image, [Mark(np.array([40, 20, 120, 80]), (0, 0, 255))], side=100)
    assert tile.shape == (100, 100, 3)
    rows, columns = np.nonzero(tile[..., 2] == 255)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (10, 40, 20, 60)
    assert tile[60:].min() > 0  # below the picture


def test_a_sheet_shows_an_even_choice_of_files(tmp_path):
    for number in range(10):
        write_image(tmp_path / f"{number}.png", np.full((8, 8, 3), 20 * number, np.uint8))
    sheet = picture_sheet(sorted(tmp_path.glob("*.png")), side=4, columns=5, most=5)
    assert sheet.shape == (6, 30, 3)
    assert sheet[1, 1::6, 0].tolist() == [0, 40, 80, 120, 160]
