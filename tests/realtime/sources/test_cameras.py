"""Cameras: their clock and their loss; the clock, address and troubles of the simulated one."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import cv2
import make
import numpy as np
import pytest

from preprocessing.errors import BrokenSourceError, SourceError
from realtime.sources import cameras
from realtime.sources.cameras import (
    TROUBLE_SECONDS,
    CameraSource,
    FakeSource,
    draw_clock,
    read_clock,
    read_url,
)
from realtime.sources.devices import CameraMode
from realtime.sources.open_source import open_source


class FakeCapture:
    """In place of cv2.VideoCapture: one picture to open it, five, then the cable is pulled."""

    def __init__(self, number):
        self.left = 6

    def isOpened(self):  # OpenCV's name
        return True

    def get(self, key):
        return {cv2.CAP_PROP_FRAME_WIDTH: 64, cv2.CAP_PROP_FRAME_HEIGHT: 48}.get(key, 30.0)

    def read(self):
        self.left -= 1
        return (self.left >= 0, make.picture(0) if self.left >= 0 else None)

    def release(self):
        pass


def test_a_camera_keeps_time_and_its_loss_is_an_error(monkeypatch):
    monkeypatch.setattr(cameras.cv2, "VideoCapture", FakeCapture)
    frames = []
    with CameraSource(0) as source, pytest.raises(BrokenSourceError, match="after 5"):
        for frame in source:
            frames.append(frame)
    assert source.info.live and source.info.rate == 30
    assert len(frames) == 5 and (np.diff([f.pts for f in frames]) > 0).all()


class Webcam:
    """In place of cv2.VideoCapture: 640x480 and 1280x720 as MJPG, the smaller alone as YUYV."""

    def __init__(self, number, *backend):
        self.asked = {cv2.CAP_PROP_FPS: 30, cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"YUYV")}

    def isOpened(self):  # OpenCV's name
        return True

    def set(self, key, value):
        self.asked[key] = value

    def _size(self):
        asked = tuple(self.asked.get(key) for key in
                      (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))  # fmt: skip
        large = self.asked[cv2.CAP_PROP_FOURCC] == cv2.VideoWriter.fourcc(*"MJPG")
        return (1280, 720) if large and asked == (1280, 720) else (640, 480)

    def get(self, key):
        if key == cv2.CAP_PROP_FPS:
            return 30
        return self.asked.get(key, 0)  # as drivers do that say what they were asked for

    def read(self):
        width, height = self._size()
        return True, np.zeros((height, width, 3), np.uint8)

    def release(self):
        pass


@pytest.mark.parametrize(
    ("mode", "size", "warning"),
    [
        ({"size": (640, 480), "rate": 30.0}, (640, 480), ""),
        ({"size": (1280, 720), "code": "MJPG"}, (1280, 720), ""),
        ({"size": (1280, 720)}, (640, 480), "camera 2 gives 640x480 30 fps YUYV, wanted 1280x720: "
         "try --camera-size 640x480"),
        ({"size": (1000, 700), "code": "MJPG"}, (640, 480), "camera 2 gives 640x480 30 fps MJPG, "
         "wanted 1000x700 MJPG: try --camera-size 640x480, 1280x720"),
        ({"rate": 60.0}, (640, 480), "camera 2 gives 640x480 30 fps YUYV, wanted 60 fps: try "
         "--camera-format MJPG"),
    ],
)  # fmt: skip
def test_what_a_camera_does_not_give_is_one_line(monkeypatch, caplog, mode, size, warning):
    monkeypatch.setattr(cameras.cv2, "VideoCapture", Webcam)
    with open_source(2, camera=CameraMode(**mode)) as source:
        assert (source.info.width, source.info.height) == size
        assert next(iter(source)).image.shape == (size[1], size[0], 3)
    assert [record.getMessage() for record in caplog.records] == ([warning] if warning else [])


def test_the_error_of_a_camera_that_is_not_there_names_the_next_step():
    with pytest.raises(SourceError, match=r"no camera 63.*--(video|camera)"):
        CameraSource(63)


@pytest.mark.parametrize("now", [0.0, 1.234, 16000.5, 2**24 / 1000 - 0.001])
def test_the_clock_is_read_back(now):
    image = np.full((480, 640, 3), 90, np.uint8)
    draw_clock(image, now)
    assert read_clock(image) == pytest.approx(now, abs=0.0011)
    image[-20:, 100:300] = 128
    assert read_clock(image) is None


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("fake://", {"rate": 30}),
        ("fake://30fps?drop=5%&stall=3s&resize=1",
         {"rate": 30, "drop": 0.05, "stall": 3, "resize": True}),
        ("fake://12.5fps?for=2s&breaks=7", {"rate": Fraction(25, 2), "lasts": 2, "breaks": 7}),
    ],
)  # fmt: skip
def test_addresses_of_fake_cameras(url, wanted):
    camera = read_url(url)
    assert camera == replace(camera, **wanted)


@pytest.mark.parametrize(
    "url",
    [
        "fake://0fps",
        "fake://9e999999999fps",
        "fake://30fps?drop=x",
        "fake://?drop=100%",
        "fake://30fps?unknown=1",
    ],
)
def test_wrong_addresses_are_refused(url):
    with pytest.raises(SourceError, match="wanted fake://30fps"):
        open_source(url)


class Clock:
    """In place of the module time: sleeping takes no time, and the clock moves all the same."""

    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.setattr(cameras, "time", clock := Clock())
    return clock


def times_of(url):
    return [frame.time for frame in FakeSource(url)]


def test_a_fake_camera_keeps_its_pace_and_drops(clock):
    times = times_of("fake://100fps?for=1s")
    assert times == pytest.approx([number / 100 for number in range(len(times))], abs=1e-4)
    assert len(times) == pytest.approx(100, abs=1)
    fewer = times_of("fake://100fps?for=1s&drop=50%")
    assert len(fewer) < 0.8 * len(times)
    assert all(later - earlier > 0.009 for earlier, later in pairwise(fewer))


def test_a_fake_camera_stalls_and_comes_back_smaller(clock):
    url = "fake://50fps?stall=0.5s&resize=1&for=3s"
    frames = list(FakeSource(url))
    gaps = [later.time - earlier.time for earlier, later in pairwise(frames)]
    after = gaps.index(max(gaps)) + 1
    assert 0.5 <= max(gaps) < 0.6 and frames[after - 1].time < TROUBLE_SECONDS
    heights = [frame.image.shape[0] for frame in frames]
    assert set(heights[:after]) == {heights[0]}
    assert set(heights[after:]) == {heights[0] // 2}


def test_a_fake_camera_breaks_off_and_is_unplugged(clock):
    url = "fake://10fps?breaks=5&for=1s"
    assert len(times_of(url)) == 5
    assert 4 <= len(times_of(url)) <= 5  # opened again, it is the same camera
    clock.sleep(1)
    with pytest.raises(SourceError, match="does not answer"):
        FakeSource(url)
