"""Long runs."""

import re

from realtime.bench.live import endurance


def test_a_soak_accounts_for_every_frame(tmp_path, monkeypatch):
    monkeypatch.setattr(endurance, "BREAK_EVERY", 5)  # frames, of which a busy machine reads few
    report = endurance.soak(tmp_path, 4)
    assert "MB per 10,000 frames" in report and report.endswith(" 0 lost")
    assert int(re.search(r"(\d+) drop-outs", report)[1]) > 2
