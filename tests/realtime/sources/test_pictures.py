"""Pictures as sources: in order, bad ones counted, with the pixels that training sees."""

from fractions import Fraction

import cv2
import make
import numpy as np
import pytest
from PIL import Image

from preprocessing.errors import SourceError
from preprocessing.images.pictures import read_picture
from realtime.sources.open_source import open_source


def read(path):
    with open_source(str(path)) as source:
        return source, list(source)


def test_a_folder_of_pictures_counts_the_bad_one(tmp_path):
    for index in range(3):
        cv2.imwrite(str(tmp_path / f"{index}.png"), make.picture(index))
    (tmp_path / "1b.jpg").write_bytes(b"no picture")
    (tmp_path / "notes.txt").write_text("no picture either")
    source, frames = read(tmp_path)
    assert [make.index_of(frame.image) for frame in frames] == [0, 1, 2]
    assert [frame.time for frame in frames] == [0, 1 / 25, 3 / 25]
    assert source.failed == 1 and source.info.rate == Fraction(25)


def test_one_picture(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), make.picture(4))
    _, frames = read(tmp_path / "a.png")
    assert len(frames) == 1 and make.index_of(frames[0].image) == 4


def test_a_folder_without_pictures(tmp_path):
    with pytest.raises(SourceError, match="no pictures"):
        open_source(str(tmp_path))


def transparent(path):
    image = np.zeros((48, 64, 4), np.uint8)
    image[:, 32:] = (0, 0, 255, 255)  # the right half is opaque red
    cv2.imwrite(str(path), image)


def sixteen_bits(path):
    cv2.imwrite(str(path), np.full((48, 64), 100 * 257, np.uint16))


def lying_on_its_side(path):
    orientation = Image.Exif()
    orientation[0x0112] = 6  # turn clockwise
    Image.fromarray(make.picture(3, width=48, height=64)).save(path, exif=orientation)


@pytest.mark.parametrize(
    ("write", "size", "left", "right"),
    [
        (transparent, (64, 48), (255, 255, 255), (0, 0, 255)),
        (sixteen_bits, (64, 48), (100, 100, 100), (100, 100, 100)),
        (lying_on_its_side, (64, 48), (48, 48, 48), (48, 48, 48)),
    ],
)
def test_the_app_sees_a_picture_as_training_does(tmp_path, write, size, left, right):
    path = tmp_path / "a.png"
    write(path)
    source, (frame,) = read(path)
    assert (source.info.width, source.info.height) == size == frame.image.shape[1::-1]
    assert (frame.image == read_picture(path)).all()
    assert tuple(frame.image[40, 10]) == left and tuple(frame.image[40, 40]) == right
