"""Long runs."""

import re

import av

from realtime.bench.live import endurance


def test_a_soak_accounts_for_every_frame(tmp_path, monkeypatch):
    monkeypatch.setattr(endurance, "BREAK_EVERY", 5)  # frames, of which a busy machine reads few
    report = endurance.soak(tmp_path, 4)
    assert "MB per 10,000 frames" in report and report.endswith(" 0 lost")
    assert int(re.search(r"(\d+) drop-outs", report)[1]) > 2


def test_a_day_at_speed_writes_what_a_recording_does(tmp_path):
    report = endurance.day(tmp_path, 2000)
    assert re.search(r"threads \d+ to \d+.*\n[+-][\d.]+ MB a day at 30 frames a second", report)
    with av.open(str(tmp_path / "out.mp4")) as video:
        assert sum(packet.size > 0 for packet in video.demux(video=0)) == 2000
    assert len((tmp_path / "rows.jsonl").read_text().splitlines()) == 2000
    assert "20 garments" in (tmp_path / "report.html").read_text()
