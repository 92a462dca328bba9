"""Frames a second of a camera in a recording, and how old they and their labels are."""

import re

from realtime.bench.live.rate import main, measure_rate
from realtime.library.assemble import AnalysisFactory
from realtime.settings import Recognition


def test_rate_and_ages_are_read_from_a_recording(monkeypatch):
    monkeypatch.setattr("realtime.bench.live.rate.WARM_UP", 0.2)
    factory = AnalysisFactory(Recognition(model="deep", locator="segment", latency="live"))
    report = measure_rate(factory, "fake://20fps?drop=10%", 1.0)
    rate, picture, label = (float(re.search(words, report)[1]) for words in (
        r"^([\d.]+) frames a second", r"pictures ([\d.]+) ms", r"labels ([\d.]+) ms"))  # fmt: skip
    assert 0 < rate < 40 and 0 < picture <= label


def test_only_simulated_cameras_show_a_clock(capsys):
    assert main(["0"]) == 2 and "fake://30fps" in capsys.readouterr().err
