"""Live sources of the benchmark."""

from realtime.bench.live import sources


def test_every_frame_is_accounted_for(tmp_path, monkeypatch):
    """However slow this machine is: what was not dropped for a slow analysis is in the file."""
    monkeypatch.setattr(sources, "PATIENCE", 300.0)
    found = sources.delivered(tmp_path / "burst", sources.burst, 1.0)
    assert (found.sent, found.seconds_sent) == (25, 1.0)
    assert found.read == 25 and found.written == 25 - found.dropped
