"""The command that scores footage."""

import csv
import json

import make

from realtime.bench import score


def test_the_command(tmp_path, capsys):
    video = make.clip(tmp_path / "a.mp4", frames=8)
    with (tmp_path / "index.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["file", "labels"], [str(video), ""]])
    figures = tmp_path / "figures.json"
    flags = ["--clips", str(tmp_path / "index.csv"), "--json", str(figures)]
    assert score.main([*flags, "--locate", "none"]) == 0
    assert json.loads(figures.read_text())["all"]["false_alarms"] == 0
    assert "| all |" in capsys.readouterr().out
    assert score.main([]) == 2
