"""Detection intervals: on which frames the locator runs."""

import pytest

from realtime.analysis import detection_interval
from realtime.analysis.detection_interval import DETECTION_INTERVALS, EveryNth, HalfDutyCycle


@pytest.mark.parametrize(("name", "every"), [("every-frame", 1), ("smooth", 5), ("live", 0)])
def test_frames_between_detections(name, every):
    interval = DETECTION_INTERVALS[name](5)
    assert interval.every == every
    assert interval.due(must=True)


def test_every_nth_frame_is_counted_from_the_last_forced_one():
    interval = EveryNth(3)
    assert [interval.due(must=number in (0, 4)) for number in range(9)] == [
        True, False, False, True, True, False, False, True, False
    ]  # fmt: skip


def test_a_live_interval_pauses_for_as_long_as_the_detection_took(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(detection_interval.time, "monotonic", lambda: now[0])
    interval = HalfDutyCycle()
    assert interval.due(must=False)
    interval.detected(0.5)
    assert not interval.due(must=False) and interval.due(must=True)
    now[0] += 0.6
    assert interval.due(must=False)
