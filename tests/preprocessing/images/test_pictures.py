"""Every kind of file that people have: upright, 8 bits, three channels, or one clear error."""

import numpy as np
import pytest
from PIL import Image

from preprocessing.errors import DataError
from preprocessing.images.pictures import read_picture

RED = (200, 30, 40)


def red(mode):
    return Image.new("RGB", (40, 20), RED).convert(mode, palette=Image.Palette.ADAPTIVE)


@pytest.mark.parametrize(
    ("name", "mode"),
    [("a.jpg", "RGB"), ("a.jpg", "CMYK"), ("a.png", "P"), ("a.png", "RGBA"), ("a.webp", "RGB")],
)
def test_modes_come_as_bgr(tmp_path, name, mode):
    red(mode).save(tmp_path / name)
    image = read_picture(tmp_path / name)
    assert image.shape == (20, 40, 3) and image.dtype == np.uint8
    assert np.abs(image[10, 20].astype(int) - RED[::-1]).max() <= 12


def test_grey_and_16_bits_keep_their_brightness(tmp_path):
    red("L").save(tmp_path / "8.png")
    deep = np.full((20, 40), 30000, np.uint16)
    Image.fromarray(deep).save(tmp_path / "16.png")
    assert read_picture(tmp_path / "8.png").shape == (20, 40, 3)
    assert (read_picture(tmp_path / "16.png") == 30000 // 257).all()


def test_transparent_is_white(tmp_path):
    Image.new("RGBA", (8, 8), (*RED, 0)).save(tmp_path / "a.png")
    assert (read_picture(tmp_path / "a.png") == 255).all()


def test_exif_rotation_is_applied(tmp_path):
    picture = red("RGB")
    picture.paste((0, 0, 255), (0, 0, 10, 20))  # left end blue
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    picture.save(tmp_path / "a.jpg", exif=exif)
    image = read_picture(tmp_path / "a.jpg")
    assert image.shape == (40, 20, 3)
    assert image[3, 10, 0] > 180 and image[30, 10, 2] > 180  # blue on top, red below


def test_damage_is_named(tmp_path):
    path = tmp_path / "a.jpg"
    Image.effect_noise((200, 200), 50).save(path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(DataError, match=r"a\.jpg"):
        read_picture(path)
    (tmp_path / "b.jpg").write_text("no picture")
    with pytest.raises(DataError, match=r"b\.jpg"):
        read_picture(tmp_path / "b.jpg")
    with pytest.raises(DataError, match="no picture"):
        read_picture(tmp_path / "c.jpg")
