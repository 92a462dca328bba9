"""Latency from camera to window and to a browser."""

import re

from realtime.assemble import make_analysis
from realtime.bench.latency import measure_latency, measure_page
from realtime.settings import Recognition


def test_latency_is_read_from_the_pictures(monkeypatch):
    monkeypatch.setattr("realtime.bench.latency.WARM_UP", 0.2)
    analysis = make_analysis(Recognition(model="deep", locator="none"))
    found = measure_latency(analysis, rate=50, seconds=1)
    assert 0 < found.median <= found.p95 < 2000 and found.unread == 0


def test_the_page_is_measured_as_a_viewer_sees_it(monkeypatch):
    monkeypatch.setattr("realtime.bench.latency.WARM_UP", 0.2)
    analysis = make_analysis(Recognition(model="deep", locator="none"))
    report = measure_page(analysis, rate=20, seconds=3, rounds=1)
    first, age, alone = (float(re.search(words, report)[1]) for words in (
        r"first picture after ([\d.]+)", r"age ([\d.]+) ms", r"nobody ([\d.]+)"))  # fmt: skip
    assert 0 < first < 10 and 0 < age < 5000 and 0 < alone < 40
