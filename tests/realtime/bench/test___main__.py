"""The command of the benchmarks."""

import pytest

from realtime.bench import __main__ as bench
from realtime.bench.experiments import EXPERIMENTS, Experiment
from realtime.bench.settings import BenchSettings


def test_every_experiment_is_in_the_help(capsys):
    with pytest.raises(SystemExit):
        bench.main(["--help"])
    shown = capsys.readouterr().out
    assert all(name in shown and row.title in shown for name, row in EXPERIMENTS.items())


def test_the_flags_reach_the_experiment(monkeypatch, capsys):
    given = []
    monkeypatch.setitem(
        EXPERIMENTS, "sizes", Experiment("", lambda folder, settings: given.append(settings))
    )
    assert bench.main(["sizes", "--frames", "7", "--rounds", "2", "--seconds", "3"]) == 0
    assert given == [BenchSettings(frames=7, rounds=2, seconds=3)]
    assert "7 frames, 2 rounds" in capsys.readouterr().out


@pytest.mark.parametrize("flags", [["--frames", "0"], ["--rounds", "0"], ["--seconds", "0"]])
def test_numbers_out_of_range_are_refused(flags, capsys):
    assert bench.main(["sizes", *flags]) == 2
    assert "must be at least 1" in capsys.readouterr().err
