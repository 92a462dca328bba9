"""The live page as a viewer receives it."""

import re

from realtime.bench.page import measure_page


def test_the_page_is_measured_as_a_viewer_sees_it(monkeypatch):
    monkeypatch.setattr("realtime.bench.page.WARM_UP", 0.2)
    monkeypatch.setattr("realtime.bench.latency.WARM_UP", 0.2)
    report = measure_page(rate=20, seconds=3, rounds=1)
    first, age, alone = (float(re.search(words, report)[1]) for words in (
        r"first picture after ([\d.]+)", r"age ([\d.]+) ms", r"nobody ([\d.]+)"))  # fmt: skip
    assert 0 < first < 10 and 0 < age < 5000 and 0 < alone < 40
