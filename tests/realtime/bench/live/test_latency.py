"""Latency from camera to window and to a browser."""

import re
import time

from realtime.bench.live.latency import measure_latency, measure_page
from realtime.library.assemble import make_analysis
from realtime.settings import Recognition


def test_latency_is_read_from_the_pictures(monkeypatch):
    monkeypatch.setattr("realtime.bench.live.latency.WARM_UP", 0.2)
    analysis = make_analysis(Recognition(model="deep", locator="none"))
    found = measure_latency(analysis, rate=50, seconds=1)
    assert 0 < found.median <= found.p95 and found.unread == 0 and found.shown > 0


def test_a_slow_first_frame_takes_nothing_from_the_measured_time(monkeypatch):
    monkeypatch.setattr("realtime.bench.live.latency.WARM_UP", 0.2)
    first = make_analysis(Recognition(model="deep", locator="none"))
    analysed = first.analysed

    def slow(*given, **more):
        time.sleep(1.0)  # as long as is measured
        return analysed(*given, **more)

    monkeypatch.setattr(first, "analysed", slow)
    assert measure_latency(first, rate=50, seconds=1).shown > 0


def test_the_page_is_measured_as_a_viewer_sees_it(monkeypatch):
    monkeypatch.setattr("realtime.bench.live.latency.WARM_UP", 0.2)
    analysis = make_analysis(Recognition(model="deep", locator="none"))
    report = measure_page(analysis, rate=20, seconds=3, rounds=1)
    first, age, alone = (float(re.search(words, report)[1]) for words in (
        r"first picture after ([\d.]+)", r"age ([\d.]+) ms", r"nobody ([\d.]+)"))  # fmt: skip
    assert first > 0 and age > 0 and 0 < alone < 40
