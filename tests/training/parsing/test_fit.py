"""A whole run of a parser on drawn people."""

import json

import numpy as np
import pytest
import torch

from preprocessing.errors import WeightsError
from preprocessing.images.class_maps import CLASSES, FIRST
from preprocessing.labels import LAYERS
from realtime.analysis.network_locators import ParserLocator
from training import export
from training.inference import weights
from training.inference.parser import openvino_parser
from training.models.onnx_tensors import read_tensors


def test_a_run_is_complete(run, tmp_path):
    names = {path.name for path in run.iterdir()}
    assert names >= {"config.json", "metrics.csv", "report.md", "report.json", "parsed.png",
                     "best.ckpt", "parser.onnx"}  # fmt: skip
    figures = json.loads((run / "report.json").read_text())
    assert 0 <= figures["mean_iou"] <= 1 and figures["photos"] == 1
    assert 0 <= figures["garments_f1"] <= 1
    assert export.main([str(run), "--out", str(tmp_path)]) == 0
    info = weights.read_info(tmp_path / "parser.onnx")
    assert info.task == "parse" and info.classes == CLASSES
    # The tensors have an output for other people, who are background in the .onnx file.
    assert read_tensors(tmp_path / "parser.onnx")["head.bias"].shape == (12,)
    probabilities = openvino_parser(tmp_path / "parser", info)(np.zeros((64, 64, 3), np.uint8))
    assert probabilities.shape == (11, 16, 16)
    assert np.allclose(probabilities.sum(axis=0), 1, atol=1e-2)


# The file is in half precision; it is the teacher, too.
@pytest.mark.parametrize(
    ("start", "off", "teacher"),
    [(".", 1e-5, []), ("parser.onnx", 1e-3, ["--teacher", "parser.onnx"])],
)
def test_a_run_starts_from_another(run, train, tmp_path, start, off, teacher):
    still = ["--lr", "1e-9", "--backbone-lr", "1e-9", "--init", str(run / start)]
    taught = [str(run / flag) if flag.endswith(".onnx") else flag for flag in teacher]
    assert train(tmp_path / "next", *still, *taught) == 0
    before, after = (
        torch.load(folder / "best.ckpt", weights_only=True)["state_dict"]["network.head.weight"]
        for folder in (run, tmp_path / "next")
    )
    assert torch.allclose(before, after, atol=off)


def test_the_locator_takes_frames_of_any_size(run):
    info = weights.read_info(run / "parser.onnx")
    locate = ParserLocator(openvino_parser(run / "parser", info))
    assert locate.info.classes == LAYERS
    for shape in ((96, 64, 3), (48, 64, 3), (100, 333, 3)):
        for region in locate(np.full(shape, 128, np.uint8)):
            assert region.scores.shape == (len(LAYERS),)
            assert 0 <= region.box[0] < region.box[2] <= shape[1]
    assert CLASSES[FIRST:] == LAYERS


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--image-size", "100"], "multiple of 32"),
        (["--network", "parser-b0"], "parser-lite0"),
    ],
)
def test_flags_that_do_not_fit(train, tmp_path, capsys, flags, words):
    assert train(tmp_path / "run", *flags) == 2
    assert words in capsys.readouterr().err


def test_a_teacher_is_a_parser(train, tmp_path, capsys):
    assert train(tmp_path / "run", "--teacher", "deep") == WeightsError.status
    assert "is no parser" in capsys.readouterr().err
