"""Kinds of picture files by their content, whatever their names say."""

import os

import make
import pytest
from PIL import Image

from preprocessing.images.picture_kinds import is_picture, kind_of


@pytest.mark.parametrize("kind", ["jpeg", "png", "gif", "webp", "tiff", "avif"])
@pytest.mark.parametrize("name", ["a.mp4", "upload", "a.jpg"])
def test_pictures_by_their_content(tmp_path, kind, name):
    Image.new("RGB", (16, 8)).save(tmp_path / name, format=kind)
    assert kind_of(tmp_path / name) == kind and is_picture(tmp_path / name)


@pytest.mark.parametrize(
    ("major", "others", "kind"),
    [
        (b"heic", b"mif1heic", "heic"),
        (b"mif1", b"mif1heicmiaf", "heic"),
        (b"mif1", b"avifmif1", "avif"),
        (b"avis", b"", "avif"),
        (b"isom", b"isomiso2avc1mp41", "video"),
        (b"qt  ", b"", "video"),
    ],
)
def test_kinds_by_their_brands(tmp_path, major, others, kind):
    size = (16 + len(others)).to_bytes(4, "big")
    (tmp_path / "a").write_bytes(size + b"ftyp" + major + bytes(4) + others + b"avif" * 9)
    assert kind_of(tmp_path / "a") == kind


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_a_video_is_none_whatever_its_name(tmp_path, suffix):
    clip = make.clip(tmp_path / f"a{suffix}", frames=2)
    clip.rename(tmp_path / "a.jpg")
    assert kind_of(tmp_path / "a.jpg") == "video" and not is_picture(tmp_path / "a.jpg")


def test_other_files(tmp_path):
    (tmp_path / "damaged.JPG").write_text("no picture")
    Image.new("RGB", (16, 8)).save(tmp_path / "a.mjpeg", format="jpeg")
    os.mkfifo(tmp_path / "pipe.png")
    assert is_picture(tmp_path / "damaged.JPG")  # so that it is reported as one
    assert not is_picture(tmp_path / "a.mjpeg") and kind_of(tmp_path / "pipe.png") == ""
    assert kind_of(tmp_path / "none") == "" and kind_of(tmp_path) == ""
