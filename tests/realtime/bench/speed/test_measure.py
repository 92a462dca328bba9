"""Whole processes, and the table of their runs."""

import subprocess
import sys

import pytest

from realtime.bench.speed import measure
from realtime.bench.speed.measure import ProcessRun, compare, measured, seconds_until_output, table
from realtime.bench.speed.peers import Peer


def test_whole_processes_are_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "POLL_SECONDS", 0.01)
    script = "import sys, time; b = bytearray(80_000_000); time.sleep(0.5); "
    script += "open(sys.argv[1], 'wb').write(b'x' * 1000)"
    one = Peer("one", lambda clip, out: [sys.executable, "-c", script, str(out)])
    runs = compare((one,), tmp_path / "clip.mp4", tmp_path, rounds=2)["one"]
    assert len(runs) == 2 and all(run.seconds > 0.5 and run.size == 1000 for run in runs)
    assert all(80 < run.memory < 160 for run in runs)
    with pytest.raises(subprocess.CalledProcessError):
        measured([sys.executable, "-c", "raise SystemExit(3)"])


def test_seconds_until_a_process_prints_a_text():
    script = "import time; print('ready', flush=True); time.sleep(60)"
    assert 0 < seconds_until_output([sys.executable, "-c", script], "ready") < 30
    with pytest.raises(subprocess.CalledProcessError):
        seconds_until_output([sys.executable, "-c", "print('other')"], "ready")


def test_table_gives_the_first_one_s_speed_over_each():
    text = table(
        {
            "ours": [ProcessRun(1, 10), ProcessRun(2, 10)],
            "peer": [ProcessRun(3, 20), ProcessRun(4, 20)],
        },
        frames=100,
    )
    assert "2.50 (2.00 to 3.00)" in text.splitlines()[2]
