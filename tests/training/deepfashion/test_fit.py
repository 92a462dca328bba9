"""A whole run on a miniature benchmark, and its flags."""

import csv
import json

import pytest
from fashion import SPLITS

from training.common.runs import read_raw_config

pytestmark = pytest.mark.usefixtures("no_worker")


def test_a_run_is_complete(run):
    names = {path.name for path in run.iterdir()}
    assert names >= {"config.json", "metrics.csv", "results.csv", "report.md", "report.json",
                     "curves.png", "boxes.png", "best.ckpt"}  # fmt: skip
    figures = json.loads((run / "report.json").read_text())
    assert figures["count"] == SPLITS["test"] and 0 <= figures["category_top1"] <= 1
    assert {"all_recall3", "texture_recall5", "shape_recall3", "landmark_error"} <= figures.keys()
    with (run / "results.csv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["0"]


@pytest.mark.parametrize(
    ("flags", "changed"),
    [
        (["--box-loss", "l1"], {"box_loss": "l1"}),
        (["--attribute-loss", "hinge"], {"attribute_loss": "hinge"}),
        (["--reduction", "sum"], {"reduction": "sum"}),
        (["--positive-weight", "0"], {"positive_weight": 0}),
        (["--box-weight", "0.001"], {"box_weight": 0.001}),
        (["--precision", "single", "--freeze-backbone"], {"frozen_epochs": 1}),
    ],
)
def test_flags_change_the_training(run, train, tmp_path, flags, changed):
    assert train(tmp_path / "run", *flags) == 0
    recipe = read_raw_config(tmp_path / "run")["recipe"]
    assert {name: recipe[name] for name in changed} == changed
    losses = [list(csv.DictReader((path / "metrics.csv").open()))[-1]["train_loss"]
              for path in (run, tmp_path / "run")]  # fmt: skip
    assert losses[0] != losses[1]


def test_half_precision_needs_a_gpu(train, tmp_path, capsys):
    assert train(tmp_path / "run", "--precision", "fp16") == 2
    assert "--precision fp16 needs a GPU" in capsys.readouterr().err
