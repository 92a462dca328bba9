"""Cameras by number and name, as three systems list them; their sizes and formats as text."""

import sys
from types import SimpleNamespace

import pytest

from preprocessing.errors import SourceError
from realtime.sources import devices
from realtime.sources.devices import Camera, camera_number, cameras, read_format, read_size


@pytest.fixture
def linux(tmp_path, monkeypatch):
    """Two cameras; the first also has a device of metadata, as most have."""
    for number, index, name in ((0, 0, "HD Webcam C270"), (1, 1, "HD Webcam C270"), (10, 0, "OBS")):
        folder = tmp_path / f"video{number}"
        folder.mkdir()
        (folder / "name").write_text(f"{name}\n", encoding="utf-8")
        (folder / "index").write_text(f"{index}\n", encoding="utf-8")
    monkeypatch.setattr(devices, "NAMES", tmp_path)
    monkeypatch.setattr(sys, "platform", "linux")


def test_linux_gives_names(linux):
    assert cameras() == [
        Camera(0, "HD Webcam C270", "/dev/video0"), Camera(10, "OBS", "/dev/video10")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "number"),
    [("3", 3), ("/dev/video7", 7), ("obs", 10), ("HD Webcam C270", 0), ("c270", 0)],
)
def test_cameras_by_number_path_and_name(linux, text, number):
    assert camera_number(text) == number


def test_names_that_fit_none_or_several_list_what_there_is(linux):
    have = r"0 \(HD Webcam C270\), 10 \(OBS\)"
    with pytest.raises(SourceError, match=f"no camera Logitech: have {have}"):
        camera_number("Logitech")
    with pytest.raises(SourceError, match="2 cameras are named b: choose --camera 0 or 10"):
        camera_number("b")


def test_a_link_to_a_device_is_that_device(tmp_path, monkeypatch):
    monkeypatch.setattr(devices.os.path, "realpath", lambda path: "/dev/video4")
    assert devices.device_number("/dev/v4l/by-id/usb-Logitech-index0") == 4
    assert devices.device_number("clip.mp4") is None


@pytest.mark.parametrize(
    ("platform", "backend"),
    [("win32", 700), ("darwin", 1200)],
)
def test_windows_and_macos_are_listed_by_opencvs_own_numbers(monkeypatch, platform, backend):
    asked = []

    def enumerate_cameras(backend):
        asked.append(backend)
        return [SimpleNamespace(index=1, name="OBS"), SimpleNamespace(index=0, name="FaceTime")]

    library = SimpleNamespace(enumerate_cameras=enumerate_cameras, __spec__=SimpleNamespace())
    monkeypatch.setitem(sys.modules, devices.LIBRARY, library)
    monkeypatch.setattr(sys, "platform", platform)
    assert cameras() == [Camera(0, "FaceTime"), Camera(1, "OBS")] and asked == [backend]


def test_without_the_library_the_error_says_how_to_list_them(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    assert cameras() == [] and not devices.are_listed()
    with pytest.raises(SourceError, match="no camera OBS: `pip install cv2-enumerate-cameras`"):
        camera_number("OBS")


@pytest.mark.parametrize("text", ["1280", "0x480", "1280x", "large"])
def test_sizes_that_are_none(text):
    with pytest.raises(ValueError):
        read_size(text)


def test_sizes_and_formats():
    assert read_size("1280x720") == (1280, 720)
    assert [read_format(text) for text in ("mjpg", "MJPEG", "yuy2")] == ["MJPG", "MJPG", "YUYV"]
    with pytest.raises(ValueError):
        read_format("H.264")
