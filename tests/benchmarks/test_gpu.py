"""The benchmark of graphics cards: what is written after each row, however the rows end."""

import json
import sys

import pytest
from benchmarks import gpu

SAMPLES = """\
10, 0, [N/A], 512
30, 4, [N/A], 1024
"""


def test_use_of_a_card_is_the_mean_and_the_most_of_its_samples():
    assert gpu.use_of(SAMPLES) == {
        "utilization.gpu": {"mean": 20.0, "max": 30.0},
        "utilization.decoder": {"mean": 2.0, "max": 4.0},
        "memory.used": {"mean": 768.0, "max": 1024.0},
    }
    assert gpu.use_of("No devices were found\n") == {}


def test_files_hold_the_rows_so_far_whether_they_failed_or_not(tmp_path, monkeypatch, capsys):
    ends = {"deep": gpu.Row("deep", 1234.5, "crops/s"), "yolo": gpu.Row("yolo", error="no card")}

    def run(name, load, folder, limit):
        if name == "streams":
            raise KeyboardInterrupt  # cut off
        assert load.device == "cpu" and limit <= gpu.LONGEST_ROW
        return ends[name]

    monkeypatch.setattr(gpu, "run_row", run)
    monkeypatch.setattr(gpu, "machine", lambda: {"cores": 2})
    with pytest.raises(KeyboardInterrupt):
        gpu.main(["--dry-run", "--out", str(tmp_path), "--rows", "deep", "yolo", "streams"])
    rows = json.loads((tmp_path / "gpu.json").read_text())["rows"]
    assert [(row["name"], row["value"]) for row in rows] == [("deep", 1234.5), ("yolo", None)]
    assert "| yolo | not measured: no card |" in (tmp_path / "gpu.md").read_text()
    assert capsys.readouterr().out.startswith("| deep | 1,234.5 crops/s |")


def test_no_row_begins_after_the_time_is_over(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu, "machine", dict)
    assert gpu.main(["--dry-run", "--out", str(tmp_path), "--seconds", "0"]) == 1
    assert all(row["error"] for row in json.loads((tmp_path / "gpu.json").read_text())["rows"])


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("print('a line'); print('[3.5, \"fps\", {\"stages\": 1}]')", (3.5, "")),
        ("raise ValueError('no such device')", (None, "ValueError: no such device")),
        ("import time; time.sleep(60)", (None, "not done in 1 s")),
    ],
)
def test_a_row_that_fails_or_hangs_is_a_row(tmp_path, monkeypatch, script, found):
    path = tmp_path / "row.py"
    path.write_text(script)
    monkeypatch.setattr(gpu, "__file__", str(path))
    monkeypatch.setattr(gpu.sys, "executable", sys.executable)
    row = gpu.run_row("deep", gpu.Load.dry(""), tmp_path, 1.0)
    assert (row.value, row.error.split(" | ")[-1]) == found
