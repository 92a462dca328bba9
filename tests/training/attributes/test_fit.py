"""The loss over known classes, and a whole run with its flags."""

import csv
import dataclasses
import json

import numpy as np
import pytest
import torch
from tables import flags as table_flags

from preprocessing.datasets.attribute_table import MISSING, Attribute
from training import export, fit
from training.attributes.fit import AttributeModule
from training.attributes.settings import ATTRIBUTE_MODELS
from training.common.runs import read_raw_config
from training.inference import weights

pytestmark = pytest.mark.usefixtures("no_worker")

TWO = (Attribute("a", ("0", "1"), ("0", "1")), Attribute("b", tuple("xyz"), tuple("xyz")))
RECIPE = dataclasses.replace(
    ATTRIBUTE_MODELS["attributes"], network="resnet18", pretrained="none", size=32
)


def module(**more):
    return AttributeModule(RECIPE, TWO, modes=np.zeros(2, int), **more)


def test_the_loss_is_that_of_known_classes():
    logits = torch.randn(3, 5, requires_grad=True)
    values = torch.tensor([[0, MISSING], [1, 2], [MISSING, MISSING]])
    loss = module().loss(logits, values)
    first = torch.nn.functional.cross_entropy(logits[:2, :2], values[:2, 0])
    second = torch.nn.functional.cross_entropy(logits[1:2, 2:], values[1:2, 1])
    assert torch.allclose(loss, (first + second) / 2)
    loss.backward()
    assert logits.grad[2].abs().sum() == 0 and logits.grad[0, 2:].abs().sum() == 0
    assert module().loss(logits, torch.full((3, 2), MISSING)) == 0


def test_class_weights_reach_the_loss():
    logits, values = torch.randn(4, 5), torch.tensor([[0, 0], [1, 2], [1, 1], [0, 2]])
    class_weights = [torch.tensor([1.0, 5.0]), torch.ones(3)]
    plain, weighted = module(), module(class_weights=class_weights)
    assert not torch.isclose(plain.loss(logits, values), weighted.loss(logits, values))


def test_a_run_is_complete(run):
    names = {path.name for path in run.iterdir()}
    assert names >= {"config.json", "metrics.csv", "curves.png", "report.md", "report.json"}
    figures = json.loads((run / "report.json").read_text())
    assert set(figures["attributes"]) == {"colour", "shape", "without_catch_all"}
    assert "shape (without square)" in (run / "report.md").read_text()


def test_a_missing_class_is_published_as_missing(published, train, tmp_path):
    info = weights.read_info(published / "attributes.onnx")
    assert info.task == "attributes" and info.attributes[1].codes == ("disc", "square")
    assert train(tmp_path / "run", "--missing", "class") == 0
    assert export.main([str(tmp_path / "run"), "--out", str(tmp_path)]) == 0
    info = weights.read_info(tmp_path / "attributes.onnx")
    assert info.attributes[1].codes == ("disc", "square", "#N/A")


@pytest.mark.parametrize(
    ("flags", "changed"),
    [
        (["--missing", "drop"], {"missing": "drop"}),
        (["--head", "bilinear"], {"head": "bilinear"}),
        (["--freeze-backbone"], {"frozen_epochs": 1}),
        (["--unfreeze-after", "3"], {"frozen_epochs": 3}),
        (["--balance", "loss"], {"balance": "loss"}),
        (["--balance", "sampling"], {"balance": "sampling"}),
        (["--train-split", "0.5"], {"train_split": 0.5}),
        (["--lr", "0.01", "--schedule", "cosine"], {"lr": 0.01, "schedule": "cosine"}),
    ],
)
def test_flags_change_the_training(run, train, tmp_path, flags, changed):
    assert train(tmp_path / "run", *flags) == 0
    recipe = read_raw_config(tmp_path / "run")["recipe"]
    assert {name: recipe[name] for name in changed} == changed
    tables = [path / "metrics.csv" for path in (run, tmp_path / "run")]
    losses = [list(csv.DictReader(path.open()))[-1]["train_loss"] for path in tables]
    assert losses[0] != losses[1]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--model", "attributes"], "give --table CSV"),
        (["--model", "deep", "--missing", "drop"], "--missing is for models of attributes"),
        (["--model", "attributes", "--mix", "mixup"], "--mix is for classifiers"),
    ],
)
def test_wrong_flags(data, tmp_path, capsys, flags, message):
    more = table_flags(data) if "--mix" in flags else []
    assert fit.main([*flags, *more, "--out", str(tmp_path / "run")]) == 2
    assert message in capsys.readouterr().err
