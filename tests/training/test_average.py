"""Averages of two runs: the mean of their weights, published like any run."""

import json

import photos
import pytest
import torch

from training import average, export, fit
from training.classification.evaluate import load_run
from training.common.checkpoints import read_state


@pytest.fixture(scope="module")
def runs(no_worker, tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    source = photos.folder(root / "photos")
    quick = ["--model", "deep", "--data", str(source), "--epochs", "1", "--batch-size", "8",
             "--image-size", "32", "--augment", "none"]  # fmt: skip
    assert fit.main([*quick, "--out", str(root / "a")]) == 0
    assert fit.main([*quick, "--init", str(root / "a"), "--out", str(root / "b")]) == 0
    return root


def test_weights_are_the_mean(runs, tmp_path):
    flags = [str(runs / "a"), str(runs / "b"), "--fraction", "0.25", "--out", str(tmp_path / "c")]
    assert average.main(flags) == 0
    first, second, both = (read_state(path) for path in (runs / "a", runs / "b", tmp_path / "c"))
    name = next(key for key, value in first.items() if value.is_floating_point())
    assert torch.allclose(both[name], 0.75 * first[name] + 0.25 * second[name])
    figures = json.loads((tmp_path / "c" / "report.json").read_text())
    assert figures["measured_on"] == "test"  # its own figures, not those of the second run
    assert export.main([str(tmp_path / "c"), "--out", str(tmp_path)]) == 0
    run = load_run(tmp_path / "c")
    assert run.network.training is False and "training.average" in run.config.command
    assert average.main(flags) == 2


@pytest.mark.parametrize(
    ("flags", "reason"), [(["--fraction", "2"], "--fraction"), ([], "no whole best.ckpt")]
)
def test_runs_that_cannot_be_averaged(runs, tmp_path, capsys, flags, reason):
    other = runs / "a" if flags else tmp_path
    assert average.main([str(other), str(runs / "b"), "--out", str(tmp_path / "d"), *flags]) == 2
    assert reason in capsys.readouterr().err
    assert export.main([str(tmp_path / "d"), "--out", str(tmp_path)]) == 2
