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


def test_a_folder_comes_in_natural_order(tmp_path):
    for index in (1, 2, 9, 10, 11):
        cv2.imwrite(str(tmp_path / f"frame{index}.png"), make.picture(index))
    (tmp_path / ".hidden.png").write_bytes(b"")
    source, frames = read(tmp_path)
    assert [make.index_of(frame.image) for frame in frames] == [1, 2, 9, 10, 11]
    assert source.failed == 0


def test_pictures_of_every_kind_are_read_together(tmp_path):
    for index, kind in enumerate(("jpeg", "avif", "webp", "gif", "tiff")):
        Image.fromarray(make.picture(index)).save(tmp_path / f"{index}.{kind}")
    Image.fromarray(make.picture(5)).save(tmp_path / "5.heic", format="avif")
    source, frames = read(tmp_path)
    assert [make.index_of(frame.image) for frame in frames] == [0, 1, 2, 3, 4, 5]
    assert source.failed == 0 and source.info.frames == 6


@pytest.mark.parametrize("kind", ["gif", "webp", "png", "avif"])
def test_an_animation_has_all_frames_at_their_times(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    first, *others = [Image.fromarray(make.picture(index)) for index in (3, 5, 7)]
    first.save(path, save_all=True, append_images=others, duration=[50, 100, 50])
    source, frames = read(path)
    assert [make.index_of(frame.image) for frame in frames] == [3, 5, 7]
    assert [frame.time for frame in frames] == [0, 0.05, 0.15]
    assert source.info.frames == 3 and source.info.rate == 20


def test_pictures_that_cannot_be_read_are_named_or_counted(tmp_path, caplog):
    cv2.imwrite(str(tmp_path / "0.png"), make.picture(0))
    for index in range(1, 6):
        (tmp_path / f"{index}.jpg").write_bytes(b"no picture")
    source, frames = read(tmp_path)
    assert source.failed == 5 and len(frames) == 1
    assert ["1.jpg" in caplog.text, "3.jpg" in caplog.text, "4.jpg" in caplog.text] == [
        True, True, False,
    ]  # fmt: skip
    assert "5 pictures in" in caplog.text


def test_a_picture_that_cannot_be_read_says_why(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(SourceError, match=r"a\.png.*cannot identify"):
        read(tmp_path / "a.png")


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
@pytest.mark.parametrize("name", ["a.png", "upload-without-suffix", "misnamed.mp4"])
def test_the_app_sees_a_picture_as_training_does(tmp_path, name, write, size, left, right):
    write(tmp_path / "a.png")
    path = (tmp_path / "a.png").rename(tmp_path / name)
    source, (frame,) = read(path)
    assert (source.info.width, source.info.height) == size == frame.image.shape[1::-1]
    assert (frame.image == read_picture(path)).all()
    assert tuple(frame.image[40, 10]) == left and tuple(frame.image[40, 40]) == right
