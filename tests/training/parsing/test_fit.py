"""Losses of a parser, and a whole run on drawn people."""

import json

import numpy as np
import pytest
import torch

from preprocessing.images.class_maps import CLASSES, FIRST, UNKNOWN_PIXEL
from preprocessing.labels import LAYERS
from realtime.analysis.network_locators import ParserLocator
from training import export
from training.inference import weights
from training.inference.parser import openvino_parser
from training.parsing.fit import dice_loss, pixel_class_weights


def test_rare_classes_weigh_more():
    class_weights = pixel_class_weights(torch.tensor([1000, 10, 0]))
    assert class_weights[0] < class_weights[1] < class_weights[2]
    assert class_weights.mean() == pytest.approx(1, abs=0.01)


def test_the_dice_loss_of_known_cases():
    target = torch.tensor([[[0, 1, UNKNOWN_PIXEL]]])
    sure = 50.0 * torch.eye(3)[None, :, None, :]  # predicts classes 0, 1 and 2 of the three pixels
    assert dice_loss(sure, target).item() == pytest.approx(0)  # the unknown one does not count
    wrong = sure.flip(1)  # predicts 2, 1 and 0
    assert dice_loss(wrong, target).item() == pytest.approx(0.5)


def test_a_run_is_complete(run, tmp_path):
    names = {path.name for path in run.iterdir()}
    assert names >= {"config.json", "metrics.csv", "report.md", "report.json", "parsed.png",
                     "best.ckpt", "parser.onnx", "parser.safetensors"}  # fmt: skip
    figures = json.loads((run / "report.json").read_text())
    assert 0 <= figures["mean_iou"] <= 1 and figures["photos"] == 1
    assert 0 <= figures["garments_f1"] <= 1
    assert export.main([str(run), "--out", str(tmp_path)]) == 0
    info = weights.read_info(tmp_path / "parser.safetensors")
    assert info.task == "parse" and info.classes == CLASSES


# The file is in half precision.
@pytest.mark.parametrize(("start", "off"), [(".", 1e-5), ("parser.safetensors", 1e-3)])
def test_a_run_starts_from_another(run, train, tmp_path, start, off):
    still = ["--lr", "1e-9", "--backbone-lr", "1e-9", "--init", str(run / start)]
    assert train(tmp_path / "next", *still) == 0
    before, after = (
        torch.load(folder / "best.ckpt", weights_only=True)["state_dict"]["network.head.weight"]
        for folder in (run, tmp_path / "next")
    )
    assert torch.allclose(before, after, atol=off)


def test_the_locator_takes_frames_of_any_size(run):
    info = weights.read_info(run / "parser.safetensors")
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
        (["--teacher", "parser"], "--boxed DIR and --teacher"),
        (["--boxed-labels", "labels.csv"], "--boxed-labels CSV: give --boxed DIR"),
        (["--image-size", "100"], "multiple of 32"),
    ],
)
def test_flags_that_do_not_fit(train, tmp_path, capsys, flags, words):
    assert train(tmp_path / "run", *flags) == 2
    assert words in capsys.readouterr().err
