"""A whole run of a detector: complete, interrupted, resumed, and refused."""

import json
import shutil

import photos
import pytest

from preprocessing.datasets.yolo_layout import label_path
from preprocessing.errors import DataError
from training import export, fit
from training.common.runs import read_config, read_index, read_metrics
from training.detection import fit as detection_fit
from training.detection.settings import DetectorFitSettings
from training.inference import weights


def test_a_run_is_complete(run, tmp_path):
    names = {path.name for path in run.iterdir()}
    assert names >= {
        "config.json", "metrics.csv", "curves.png", "report.md", "report.json", "boxes.png",
        "precision_recall.png", "yolo.onnx",
    }  # fmt: skip
    figures = json.loads((run / "report.json").read_text())
    assert 0 <= figures["map50_95"] <= figures["map50"] <= 1 and figures["images"] == 2
    rows = read_index(run.parent / "index.csv")
    assert rows[0]["run"] == str(run) and rows[0]["map50"] != ""
    recipe = read_config(run, DetectorFitSettings).settings.recipe
    assert recipe.size == 96 and not recipe.smaller  # --image-size holds for all epochs
    assert export.main([str(run), "--out", str(tmp_path), "--confidence", "0.4"]) == 0
    info = weights.read_info(tmp_path / "yolo.onnx")
    assert info.task == "detect" and info.classes == tuple(sorted(photos.SHAPES))
    assert info.confidence == 0.4


def test_ctrl_c_and_resume(train, tmp_path, monkeypatch, capsys):
    folder, log_epochs = tmp_path / "run", detection_fit.log_epochs

    def stop_after_one(run, epochs):
        def stop(epoch):
            log_epochs(run, epochs)(epoch)
            raise KeyboardInterrupt

        return stop

    monkeypatch.setattr(detection_fit, "log_epochs", stop_after_one)
    assert train(folder, "--epochs", "2") == 130
    assert f"--resume {folder}" in capsys.readouterr().err
    monkeypatch.undo()
    assert train(folder) == 2  # it holds a run already
    assert fit.main(["--resume", str(folder)]) == 0
    assert [row["epoch"] for row in read_metrics(folder / "metrics.csv")] == ["0", "1"]


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda image: label_path(image).unlink(), "no label file"),
        (lambda image: label_path(image).write_text("7 0.5 0.5 0.1 0.1\n"), "class 7"),
        (lambda image: label_path(image).write_text("0 0.9 0.5 0.4 0.1\n"), "outside"),
        (lambda image: label_path(image).write_text("0 0.5 0.5 -0.1 0.1\n"), "outside"),
        (lambda image: label_path(image).write_text("0 0.5 half 0.1 0.1\n"), "wanted id"),
        (lambda image: (image.parents[2] / "data.yaml").write_text(""), "empty"),
    ],
)
def test_broken_data_is_refused_before_training(data, train, tmp_path, capsys, break_it, words):
    folder = tmp_path / "broken"
    shutil.copytree(data.parent, folder)
    break_it(sorted((folder / "images" / "train").glob("*.jpg"))[3])
    assert train(tmp_path / "run", data=folder / "data.yaml") == DataError.status
    assert words in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--teacher", "deep"], "--teacher is for classifiers"),
        (["--image-size", "100"], "multiple of 32"),
        (["--epochs", "0"], "--epochs"),
        (["--pretrained", "missing.onnx"], "missing.onnx"),
    ],
)
def test_flags_that_do_not_fit(train, tmp_path, capsys, flags, words):
    assert train(tmp_path / "run", *flags) == 2
    assert words in capsys.readouterr().err
