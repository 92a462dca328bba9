"""Predictions for one picture: a row, and a figure."""

import csv

import cv2
import pytest

from training import predict


@pytest.mark.usefixtures("no_worker")
def test_a_row_and_a_figure_are_written(published, data, tmp_path):
    picture = min(data.glob("img/*/*.jpg"))
    flags = ["--model", str(published / "deepfashion.onnx"), "--input", str(picture)]
    out = ["-o", str(tmp_path / "out.csv"), "--out-image", str(tmp_path / "figures")]

    def row(*more):
        assert predict.main([*flags, *out, *more]) == 0
        with (tmp_path / "out.csv").open() as file:
            (values,) = csv.DictReader(file)
        return values

    found = row("--top-k", "2")
    assert found["type"] in ("upper", "lower", "full") and found["category"].count("|") == 1
    assert 0 <= float(found["x1"]) <= float(found["x2"]) <= 50
    assert cv2.imread(str(tmp_path / "figures" / "img_1.png")) is not None

    def best(values):
        return float(values["category"].split(":")[1].split("|")[0])

    assert best(row("--softmax-temp", "20")) < best(found)
