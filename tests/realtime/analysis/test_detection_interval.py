"""Detection intervals: on which frames the locator runs."""

import pytest

from realtime.analysis import detection_interval
from realtime.analysis.detection_interval import DETECTION_INTERVALS, ByMotion, HalfDutyCycle


@pytest.mark.parametrize(("name", "every"), [("every-frame", 1), ("smooth", 5), ("live", 0)])
def test_frames_between_detections(name, every):
    interval = DETECTION_INTERVALS[name](5)
    assert interval.every == every
    assert interval.due(must=True, motion=lambda: 0.0)


def detected(motion, *, forced=(0,), frames=20):
    """The frames on which the locator runs, of an interval of three."""
    interval = ByMotion(3)
    return [n for n in range(frames) if interval.due(must=n in forced, motion=lambda: motion)]


def test_what_moves_is_detected_on_every_third_frame_from_the_last_forced_one():
    assert detected(0.3, forced=(0, 4), frames=11) == [0, 3, 4, 7, 10]


def test_what_rests_is_detected_on_a_third_of_those():
    assert detected(0.29) == [0, 9, 18]


def test_a_live_interval_pauses_for_as_long_as_the_detection_took(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(detection_interval.time, "monotonic", lambda: now[0])
    interval = HalfDutyCycle()
    assert interval.due(must=False, motion=lambda: 1.0)
    interval.detected(0.5)
    assert not interval.due(must=False, motion=lambda: 1.0) and interval.due(
        must=True, motion=lambda: 0.0
    )
    now[0] += 0.6
    assert interval.due(must=False, motion=lambda: 1.0)
