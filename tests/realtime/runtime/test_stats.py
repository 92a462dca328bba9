"""Figures of a run: times in memory of constant size, and their summary."""

import pytest

from realtime.runtime import stats
from realtime.runtime.stats import Stats, Times, summary


def test_times_keep_the_last_ones(monkeypatch):
    monkeypatch.setattr(stats, "SAMPLES", 4)
    times = Times()
    assert times.report() == {} and times.last == 0
    for value in (9, 9, 9, 1, 2, 3, 4):
        times.add(value / 1000)
    assert times.last == pytest.approx(0.004)
    assert times.report() == {"count": 7, "mean": 2.5, "p95": pytest.approx(3.85)}


def test_the_summary_names_stages_and_frames():
    one = Stats()
    one.read = 3
    for _ in range(2):
        one.frame_analysed(0.0)
        one.frame_written()
    one.add("locate", 0.25)
    report = one.report()
    assert report["frames"] == {"read": 3, "written": 2, "dropped": 0, "failed": 0}
    assert report["latency_ms"]["count"] == 2
    text = summary(report)
    assert "3 read, 2 written" in text and "locate 250.00 (250.00)" in text
