"""Every kind of picture file: read upright, 8 bits, three channels, or one clear error."""

import sys

import cv2
import make
import numpy as np
import pytest
from PIL import Image

from preprocessing.errors import DataError, SinkError
from preprocessing.images.pictures import (
    frame_count,
    picture_frames,
    picture_paths,
    read_media,
    read_picture,
    write_image,
)

RED = (200, 30, 40)


def red(mode):
    return Image.new("RGB", (40, 20), RED).convert(mode, palette=Image.Palette.ADAPTIVE)


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("a.jpg", "RGB"),
        ("a.jpg", "CMYK"),
        ("a.png", "P"),
        ("a.gif", "P"),
        ("a.png", "RGBA"),
        ("a.webp", "RGB"),
        ("a.webp", "RGBA"),
        ("a.bmp", "RGB"),
        ("a.tif", "CMYK"),
        ("a.tif", "LAB"),
    ],
)
def test_modes_come_as_bgr(tmp_path, name, mode):
    if mode == "LAB":
        from PIL import ImageCms

        profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        ImageCms.profileToProfile(red("RGB"), *profiles, outputMode="LAB").save(tmp_path / name)
    else:
        red(mode).save(tmp_path / name)
    image = read_picture(tmp_path / name)
    assert image.shape == (20, 40, 3) and image.dtype == np.uint8 and image.flags.c_contiguous
    assert np.abs(image[10, 20].astype(int) - RED[::-1]).max() <= 14


@pytest.mark.parametrize("mode", ["L", "LA", "1"])
def test_grey_has_three_equal_channels(tmp_path, mode):
    Image.new("L", (8, 8), 255).convert(mode).save(tmp_path / "a.png")
    assert (read_picture(tmp_path / "a.png") == 255).all()


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_16_bits_keep_their_brightness(tmp_path, channels, suffix):
    if channels == 4 and suffix == ".tif":
        pytest.skip("Pillow reads no TIFF of four 16-bit channels from OpenCV")
    deep = np.full((20, 40, channels), 30000, np.uint16)
    if channels == 4:
        deep[..., 3] = 65535
    cv2.imwrite(str(tmp_path / f"a{suffix}"), deep)
    image = read_picture(tmp_path / f"a{suffix}")
    assert image.shape == (20, 40, 3)
    assert np.abs(image.astype(int) - 30000 / 257).max() <= 1


def test_transparent_is_white(tmp_path):
    Image.new("RGBA", (8, 8), (*RED, 0)).save(tmp_path / "a.png")
    assert (read_picture(tmp_path / "a.png") == 255).all()
    Image.new("LA", (8, 8), (90, 0)).save(tmp_path / "b.png")
    assert (read_picture(tmp_path / "b.png") == 255).all()
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([*RED, 0, 0, 0])
    palette.save(tmp_path / "c.png", transparency=0)
    assert (read_picture(tmp_path / "c.png") == 255).all()


def test_half_transparent_is_half_white(tmp_path):
    Image.new("RGBA", (8, 8), (0, 0, 0, 128)).save(tmp_path / "a.png")
    assert np.abs(read_picture(tmp_path / "a.png").astype(int) - 127).max() <= 1


# The left end of the stored picture is blue; where it is seen, by EXIF orientation.
@pytest.mark.parametrize(
    ("orientation", "shape", "blue", "red_at"),
    [
        (1, (20, 40, 3), (10, 3), (10, 36)),
        (2, (20, 40, 3), (10, 36), (10, 3)),
        (3, (20, 40, 3), (10, 36), (10, 3)),
        (6, (40, 20, 3), (3, 10), (36, 10)),
        (8, (40, 20, 3), (36, 10), (3, 10)),
    ],
)
@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_the_exif_orientation_is_applied(tmp_path, name, orientation, shape, blue, red_at):
    picture = red("RGB")
    picture.paste((0, 0, 255), (0, 0, 10, 20))
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture.save(tmp_path / name, exif=exif)
    image = read_picture(tmp_path / name)
    assert image.shape == shape
    assert image[(*blue, 0)] > 180 and image[(*red_at, 2)] > 180


def test_the_first_frame_of_an_animation(tmp_path):
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, (0, 0, 255))]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert np.abs(read_picture(tmp_path / "a.gif")[4, 4].astype(int) - RED[::-1]).max() <= 12


GREEN, BLUE = (30, 160, 60), (20, 40, 220)


@pytest.mark.parametrize("kind", ["gif", "webp", "png", "avif"])
@pytest.mark.parametrize("name", ["a.{}", "misnamed.jpg"])
def test_every_frame_of_an_animation(tmp_path, kind, name):
    path = tmp_path / name.format(kind)
    frames = [Image.new("RGB", (32, 16), colour) for colour in (RED, GREEN, BLUE)]
    frames[0].save(
        path, format=kind, save_all=True, append_images=frames[1:], duration=[40, 80, 200]
    )
    found = list(picture_frames(path))
    assert frame_count(path) == 3
    assert [frame.seconds for frame in found] == pytest.approx([0.04, 0.08, 0.2])
    for frame, colour in zip(found, (RED, GREEN, BLUE), strict=True):
        assert np.abs(frame.image[8, 16].astype(int) - colour[::-1]).max() <= 12
    names = [name for name, _ in read_media(path, step=2)]
    assert names == ["frame-000000", "frame-000002"]


def test_frames_without_a_length_are_shown_as_browsers_do(tmp_path):
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, BLUE)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=0)
    assert [frame.seconds for frame in picture_frames(tmp_path / "a.gif")] == [0.1, 0.1]


def test_a_default_picture_is_no_frame(tmp_path):
    frames = [Image.new("RGB", (8, 8), colour) for colour in (GREEN, RED, BLUE)]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:], default_image=True)
    assert frame_count(tmp_path / "a.png") == 2
    assert (read_picture(tmp_path / "a.png")[4, 4] == RED[::-1]).all()


@pytest.mark.parametrize("name", ["a.tif", "a.mpo"])
def test_pages_and_thumbnails_are_no_frames(tmp_path, name):
    pages = [Image.new("RGB", (8, 8), colour) for colour in (RED, BLUE)]
    pages[0].save(tmp_path / name, save_all=True, append_images=pages[1:])
    assert [frame.seconds for frame in picture_frames(tmp_path / name)] == [None]


def test_what_shows_through_an_animation_is_white(tmp_path):
    frames = [Image.new("RGBA", (8, 8), (*RED, 0)), Image.new("RGBA", (8, 8), (*RED, 255))]
    for name in ("a.webp", "a.png", "a.gif"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], duration=50)
        assert (next(picture_frames(tmp_path / name)).image == 255).all(), name


@pytest.mark.parametrize("name", ["a.avif", "really_avif.heic"])
def test_avif_by_any_name(tmp_path, name):
    red("RGB").save(tmp_path / name, format="avif")
    assert np.abs(read_picture(tmp_path / name)[10, 20].astype(int) - RED[::-1]).max() <= 12


def test_heic(tmp_path):
    pillow_heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    pillow_heif.from_pillow(red("RGB")).save(tmp_path / "a.heic", quality=95)
    image = read_picture(tmp_path / "a.heic")
    assert image.shape == (20, 40, 3) and np.abs(image[10, 20] - np.array(RED[::-1])).max() <= 14


def test_heic_without_its_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200))
    with pytest.raises(DataError, match="pip install pillow-heif"):
        read_picture(tmp_path / "a.heic")


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.gif", "a.webp", "a.tif"])
def test_truncated_files_are_named(tmp_path, name):
    path = tmp_path / name
    Image.effect_noise((200, 200), 50).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    with pytest.raises(DataError, match=f"cannot read .*{name}"):
        read_picture(path)


def test_other_files_and_missing_ones_are_named(tmp_path):
    (tmp_path / "b.jpg").write_text("no picture")
    with pytest.raises(DataError, match=r"b\.jpg"):
        read_picture(tmp_path / "b.jpg")
    with pytest.raises(DataError, match="no picture"):
        read_picture(tmp_path / "c.jpg")


def test_pictures_of_a_folder(tmp_path):
    for name in ("b.JPG", "a.png", "deep/c.webp", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in picture_paths(tmp_path)]
    assert found == ["a.png", "b.JPG", "deep/c.webp"]


def test_what_is_written_is_read_again(tmp_path):
    image = np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8)
    write_image(tmp_path / "new" / "a.png", image)
    assert (read_picture(tmp_path / "new" / "a.png") == image).all()


def test_what_cannot_be_written_is_named(tmp_path):
    image = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(SinkError, match=r"a\.xyz"):
        write_image(tmp_path / "a.xyz", image)
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match="cannot write"):
        write_image(tmp_path / "file" / "a.png", image)


@pytest.fixture
def folder(tmp_path):
    for name in ("b10.png", "b.png", "b9.png", "deep/a.png"):
        write_image(tmp_path / "pictures" / name, np.full((8, 10, 3), 90, np.uint8))
    return tmp_path / "pictures"


def test_a_folder_gives_its_pictures_by_their_paths_in_it(folder):
    found = list(read_media(folder))
    assert [name for name, _ in found] == ["b.png", "b9.png", "b10.png", "deep/a.png"]
    assert found[0][1].shape == (8, 10, 3)


def test_bad_pictures_are_collected_or_raised(folder):
    (folder / "c.png").write_text("no picture")
    bad = []
    assert len(list(read_media(folder, bad=bad))) == 4
    assert len(bad) == 1 and "c.png" in bad[0]
    with pytest.raises(DataError, match=r"c\.png"):
        list(read_media(folder))


def test_a_picture(folder):
    assert [name for name, _ in read_media(folder / "b.png")] == ["b.png"]


def test_a_video_gives_every_nth_frame(tmp_path):
    path = make.clip(tmp_path / "a.mp4", frames=7)
    found = list(read_media(path, step=3))
    assert [name for name, _ in found] == ["frame-000000", "frame-000003", "frame-000006"]
    assert [make.index_of(image) for _, image in found] == [0, 3, 6]


def test_nothing_to_read_is_named(tmp_path):
    (tmp_path / "notes.txt").write_text("no video")
    (tmp_path / "empty").mkdir()
    for name, text in (
        ("notes.txt", "neither"),
        ("none.mp4", "none.mp4"),
        ("empty", "no pictures"),
    ):
        with pytest.raises(DataError, match=text):
            list(read_media(tmp_path / name))
