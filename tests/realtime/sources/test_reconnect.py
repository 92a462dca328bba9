"""Live sources that come back, and the fake camera that rehearses it."""

import time
from dataclasses import replace
from fractions import Fraction
from itertools import count, pairwise

import numpy as np
import pytest

from preprocessing.errors import BrokenSourceError, SourceError
from realtime.sources import reconnect
from realtime.sources.fake_camera import FakeSource, draw_clock, read_clock, read_url
from realtime.sources.open_source import open_source
from realtime.sources.reconnect import ReconnectingSource
from realtime.types import Frame, SourceInfo

INFO = SourceInfo("unsteady", 64, 48, Fraction(30), Fraction(1, 30), None, live=True)


class Unsteady:
    """Gives `frames` pictures, then ends, breaks off or hangs until `released`."""

    def __init__(self, frames, then="end", size=(48, 64)):
        self.info, self.failed, self.closed = INFO, 0, False
        self._frames, self._then, self._size, self.released = frames, then, size, False

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.closed = True

    def __iter__(self):
        for index in range(self._frames):
            image = np.zeros((*self._size, 3), np.uint8)
            yield Frame(image, index, index, Fraction(1, 30), time.monotonic())
        if self._then == "break":
            raise BrokenSourceError("the cable is out")
        while self._then == "hang" and not self.released:
            time.sleep(0.01)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(reconnect, "STALL", 0.3)
    monkeypatch.setattr(reconnect, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(reconnect, "LONGEST_PAUSE", 0.02)


@pytest.mark.parametrize("then", ["end", "break", "hang"])
def test_a_lost_source_goes_on(then, quick):
    first, second, told = Unsteady(3, then), Unsteady(4, size=(24, 32)), []
    source = ReconnectingSource(first, lambda: second, patience=5, tell=told.append)
    with source:
        frames = iter(source)
        taken = [next(frames) for _ in range(7)]
        frames.close()
    first.released = True
    assert [frame.index for frame in taken] == list(range(7))
    assert taken[-1].image.shape == (24, 32, 3)
    ticks = [frame.pts for frame in taken]
    assert ticks == sorted(set(ticks))
    assert len(told) == 2 and "back after" in told[1]


def test_a_gap_stays_a_gap(quick):
    first = Unsteady(2, "hang")
    source = ReconnectingSource(first, lambda: Unsteady(2), patience=5, tell=lambda _: None)
    frames = iter(source)
    times = [next(frames).time for _ in range(3)]
    frames.close()
    first.released = True
    assert times[2] - times[1] >= 0.3


def test_the_end_of_patience_is_told(quick):
    def gone():
        raise SourceError("no route to host")

    source = ReconnectingSource(Unsteady(2), gone, patience=0.1, tell=lambda _: None)
    with pytest.raises(BrokenSourceError, match=r"0\.1 s \(no route to host\).*2 frames"):
        list(source)


def test_an_unused_source_is_closed():
    first = Unsteady(1)
    with ReconnectingSource(first, lambda: first, patience=1):
        pass
    assert first.closed


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


def test_a_fake_camera_keeps_its_pace_and_drops():
    whole = [frame.time for frame in FakeSource("fake://100fps?for=1s")]
    gaps = [frame.time for frame in FakeSource("fake://100fps?for=1s&drop=50%")]
    assert len(gaps) < 0.8 * len(whole)
    assert all(later - earlier > 0.005 for earlier, later in pairwise(whole))


def test_a_fake_camera_stalls_and_comes_back_smaller(monkeypatch):
    monkeypatch.setattr("realtime.sources.fake_camera.TROUBLE", 0.3)
    url = "fake://50fps?stall=0.5s&resize=1"
    frames, sizes, times = iter(FakeSource(url)), [], []
    for number in count():
        frame = next(frames)
        sizes.append(frame.image.shape[0])
        times.append(frame.time)
        if number == 0:
            start = time.monotonic()
        if sizes[-1] != sizes[0]:
            break
    assert max(b - a for a, b in pairwise(times)) >= 0.5
    assert sizes[-1] == sizes[0] // 2 and time.monotonic() - start < 5
