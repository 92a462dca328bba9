"""The run behind the page: pace and pauses of its source, changes of its settings."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from preprocessing.errors import UsageError, WeightsError
from realtime.page import runs
from realtime.page.runs import PausableSource
from realtime.page.session import Session
from realtime.settings import Recognition, Settings
from realtime.types import Frame, SourceInfo

IMAGE = np.zeros((8, 8, 3), np.uint8)


class Clip:
    """A source of frames a second apart."""

    failed = 0

    def __init__(self, *, live: bool):
        self.info = SourceInfo(name="clip", width=8, height=8, rate=Fraction(1),
                               time_base=Fraction(1), frames=4, live=live)  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        pass

    def __iter__(self):
        return (Frame(IMAGE, index, index, Fraction(1), 0.0) for index in range(4))


class Clock:
    """A clock that moves only while somebody sleeps, and calls back after every sleep."""

    def __init__(self, on_sleep=lambda: None):
        self.now, self._on_sleep = 100.0, on_sleep

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        self._on_sleep()


def never():
    return False


def test_a_file_keeps_its_pace(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(runs, "time", clock)
    with PausableSource(Clip(live=False), paused=never, stopped=never) as source:
        shown = [(frame.index, round(clock.now - 100, 6)) for frame in source]
    assert shown == [(0, 0), (1, 1), (2, 2), (3, 3)]


def test_a_paused_file_waits_and_resumes_at_its_pace(monkeypatch):
    pauses = []  # how often the pause was polled
    clock = Clock(lambda: pauses.append(1))
    monkeypatch.setattr(runs, "time", clock)
    paused = iter([False, *[True] * 20])
    with PausableSource(
        Clip(live=False), paused=lambda: next(paused, False), stopped=never
    ) as source:
        times = [clock.now - 100 for frame in source]
    assert times[0] == 0
    assert times[1] == pytest.approx(20 * runs.POLL_SECONDS)
    assert np.diff(times[1:]) == pytest.approx([1, 1])


def test_a_paused_camera_drops_its_frames():
    paused = iter([False, False, True, True])  # asked twice of a frame that is shown
    source = PausableSource(Clip(live=True), paused=lambda: next(paused, False), stopped=never)
    assert [frame.index for frame in source] == [0, 3]


def test_settings_change_as_a_whole_or_not_at_all():
    settings = Settings(recognition=Recognition(model="deep", locator="segment"))
    changed = Session(settings, address=None)
    before = changed.report()
    with pytest.raises(UsageError, match="--label-threshold"):
        changed.change(label_threshold=7.0)
    with pytest.raises(WeightsError):
        changed.change(model="none")
    assert changed.report() == before
    changed.change(model="baseline", label_threshold=0.9)
    report = changed.report()
    assert (report["model"], report["threshold"]) == ("baseline", 0.9)
    assert settings.recognition == replace(settings.recognition, model="deep")
