"""Pictures that the library takes, and those that it refuses with the reason."""

import make
import numpy as np
import pytest
from PIL import Image

from preprocessing.errors import DataError, UsageError
from realtime.library.images import to_bgr


def test_pictures_become_bgr_in_memory_of_their_own(tmp_path):
    blue = np.zeros((4, 6, 3), np.uint8)
    blue[..., 0] = 255
    Image.fromarray(blue[..., ::-1]).save(tmp_path / "blue.png")
    given = (blue, tmp_path / "blue.png", str(tmp_path / "blue.png"),
             Image.open(tmp_path / "blue.png"), blue[..., ::-1][..., ::-1])  # fmt: skip
    for picture in given:
        found = to_bgr(picture)
        assert (found == blue).all() and found.flags.c_contiguous
        assert not np.shares_memory(found, blue)


def test_pil_images_are_opaque_and_upright():
    clear = Image.new("RGBA", (6, 4), (255, 0, 0, 0))
    assert (to_bgr(clear) == 255).all()
    turned = Image.new("L", (6, 4))
    turned.getexif()[0x0112] = 6
    assert to_bgr(turned).shape == (6, 4, 3)


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (np.zeros((4, 6), np.uint8), r"got uint8 \(4, 6\): .*COLOR_GRAY2BGR"),
        (np.zeros((4, 6, 4), np.uint8), "Image.fromarray"),
        (np.zeros((4, 6, 3), np.float32), "got float32 .*astype"),
        (np.zeros((0, 6, 3), np.uint8), r"got uint8 \(0, 6, 3\)"),
        (7, "a path, a BGR array .* got int"),
    ],
)
def test_what_is_no_picture(picture, words):
    with pytest.raises(UsageError, match=words):
        to_bgr(picture)


def test_files_that_are_no_pictures(tmp_path):
    clip = make.clip(tmp_path / "a.mp4", frames=2)
    for path, words in (
        (clip, r"no picture: track\(\) takes videos"),
        (tmp_path, r"a folder: track\(\)"),
        (tmp_path / "none.png", "no picture .*none.png"),
    ):
        with pytest.raises(DataError, match=words):
            to_bgr(path)
