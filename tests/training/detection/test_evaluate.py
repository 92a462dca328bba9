"""Evaluation of a published detector: boxes, empty images, and the classifier of its boxes."""

import json

import pytest

from preprocessing.builders import crops_from_boxes
from training import evaluate, export, fit


def test_the_command_evaluates_boxes_and_empty_images(run, data, tmp_path, capsys):
    figures = tmp_path / "figures.json"
    flags = ["--model", str(run / "yolo.onnx"), "--out", str(tmp_path / "report")]
    where = ["--data", str(data), "--split", "validation", "--json", str(figures)]
    assert evaluate.main([*flags, *where]) == 0
    assert {"map50", "map50_95"} <= json.loads(figures.read_text()).keys()
    empty = ["--empty", str(data.parent / "images" / "val"), "--threshold", "0.5"]
    assert evaluate.main([*flags, *empty]) == 0
    assert "images without an object, at threshold 0.50" in capsys.readouterr().out
    assert evaluate.main(flags) == 2
    assert "give --data" in capsys.readouterr().err


@pytest.mark.usefixtures("no_worker")
def test_a_namer_is_evaluated_with_its_detector(run, data, tmp_path, capsys):
    crops, out, figures = (tmp_path / name for name in ("crops", "names", "figures.json"))
    assert crops_from_boxes.main(["--data", str(data), "--out", str(crops)]) == 0
    flags = ["--model", "yolo-names", "--data", str(crops), "--epochs", "1", "--batch-size", "8"]
    assert fit.main([*flags, "--out", str(out)]) == 0
    assert export.main([str(out), "--out", str(tmp_path)]) == 0
    command = ["--model", str(run / "yolo.onnx"), "--data", str(data), "--split", "validation",
               "--out", str(tmp_path / "report"), "--json", str(figures), "--namer"]  # fmt: skip

    def measured_on():
        return json.loads(figures.read_text())["measured_on"]

    assert evaluate.main([*command, str(tmp_path / "yolo-names.onnx")]) == 0
    assert "named with yolo-names" in measured_on()
    assert evaluate.main([*command, "none"]) == 0
    assert "named with" not in measured_on()
    assert evaluate.main([*command[:-1], "--name-by", "detector"]) == 0  # as it was spelt before
    assert "named with" not in measured_on()
    assert evaluate.main([*command, "deep"]) == 2
    assert "classifier deep has the classes T-shirt/top" in capsys.readouterr().err
