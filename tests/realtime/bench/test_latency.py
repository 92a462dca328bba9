"""Latency from camera to window."""

from realtime.assemble import make_analysis
from realtime.bench.latency import measure_latency
from realtime.settings import Recognition


def test_latency_is_read_from_the_pictures(monkeypatch):
    monkeypatch.setattr("realtime.bench.latency.WARM_UP", 0.2)
    analysis = make_analysis(Recognition(model="deep", locator="none"))
    found = measure_latency(analysis, rate=50, seconds=1)
    assert 0 < found.median <= found.p95 < 2000 and found.unread == 0
