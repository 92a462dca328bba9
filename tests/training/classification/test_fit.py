"""Training on a user's photos end to end: every option, publishing, and what goes wrong."""

import csv
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import photos
import pytest
import torch

from preprocessing.datasets.samples_and_splits import Sample
from preprocessing.errors import WeightsError
from training import evaluate, export, fit
from training.classification.data import photo_splits
from training.classification.evaluate import load_run
from training.classification.fit import BEFORE_REFIT
from training.common import runs
from training.common.runs import read_metrics
from training.common.subsets import PhotoSubset, Sampling
from training.inference import weights
from training.inference.weights import Shape
from training.models.backbones import load_pretrained
from training.models.registry import MODELS

pytestmark = pytest.mark.usefixtures("no_worker")

QUICK = ["--epochs", "2", "--batch-size", "8", "--image-size", "32", "--augment", "none"]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return photos.folder(tmp_path_factory.mktemp("data") / "photos")


@pytest.fixture(scope="module")
def run(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "small"
    assert train(source, folder) == 0
    return folder


def train(source, out, *flags, model="deep"):
    command = ["--model", model, "--data", str(source), "--out", str(out), *QUICK]
    return fit.main([*command, *flags])


def test_a_run_on_photos_is_complete(run):
    names = {path.name for path in run.iterdir()}
    assert names >= {
        "config.json", "metrics.csv", "curves.png", "report.md", "report.json", "confusion.png",
        "calibration.png", "top_losses.csv", "gradcam.png", "best.ckpt", "last.ckpt", "data",
    }  # fmt: skip
    figures = json.loads((run / "report.json").read_text())
    assert figures["measured_on"] == "test" and figures["count"] == 6
    rows = runs.read_index(run.parent / "index.csv")
    assert [row["run"] for row in rows] == [str(run)] and rows[0]["data"] == "photos"


def test_publish_evaluate_and_refit(run, source, tmp_path, capsys):
    assert export.main([str(run), "--out", str(tmp_path)]) == 0
    info = weights.read_info(tmp_path / "deep.onnx")
    assert (info.network_input, info.size, info.channels) == ("photo", 32, 3)
    assert info.classes == ("band", "block", "strip")
    model = str(tmp_path / "deep.onnx")
    assert fit.__file__.removesuffix("fit.py").encode() not in Path(model).read_bytes()
    figures = tmp_path / "figures.json"
    flags = ["--json", str(figures), "--out", str(tmp_path / "report")]
    assert evaluate.main(["--model", model, "--data", str(source), *flags]) == 0
    assert json.loads(figures.read_text())["count"] == 36
    blank = cv2.imencode(".png", np.full((40, 40, 3), 99, np.uint8))[1]
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "a.png").write_bytes(blank.tobytes())
    flags += ["--empty", str(tmp_path / "empty")]
    assert evaluate.main(["--model", model, "--data", str(source), *flags]) == 0
    assert "against other pictures (n 36 and 1)" in capsys.readouterr().out
    assert (tmp_path / "report" / "roc.png").is_file()
    assert evaluate.main(["--model", model]) == 2
    assert "give --data" in capsys.readouterr().err
    again = tmp_path / "again"
    refit = ["--refit", str(run), "--out", str(again)]
    assert fit.main([*refit, "--epochs", "9"]) == 2
    assert fit.main(refit) == 0
    settings = load_run(again).config.settings
    splits = photo_splits(again, settings, max_bad=0, refit=True)
    assert len(splits.training) == 36 and splits.validation is None
    assert json.loads((again / "report.json").read_text())["measured_on"] == BEFORE_REFIT
    assert export.main([str(again), "--out", str(tmp_path / "final")]) == 0


def test_weights_of_another_class_list(run, source, tmp_path, capsys):
    other = tmp_path / "other"
    for label in photos.SHAPES:
        shutil.copytree(source / label, other / f"{label}s")
    out = ["--out", str(tmp_path / "report")]
    assert evaluate.main(["--model", str(run), "--data", str(other), *out]) == 8
    assert "does not know bands, blocks, strips" in capsys.readouterr().err


def test_only_augmented_pictures_are_occluded(source):
    paths = sorted(source.rglob("*.png"))[:4]
    part = PhotoSubset([Sample(path, "band") for path in paths], ("band",), 32, occlusion=1.0)
    for index in range(len(paths)):
        whole = part.picture(index)
        assert not np.array_equal(part.augmented(index), whole)
        assert np.array_equal(PhotoSubset(part.samples, ("band",), 32).augmented(index), whole)


def test_half_written_checkpoint(run, tmp_path, capsys):
    broken = tmp_path / "broken"
    shutil.copytree(run, broken)
    (broken / "best.ckpt").write_bytes((run / "best.ckpt").read_bytes()[:5000])
    assert export.main([str(broken), "--out", str(tmp_path)]) == 2
    assert "best.ckpt" in capsys.readouterr().err


@pytest.mark.parametrize(
    "flags",
    [
        ["--balance", "sampling", "--mix", "both"],
        ["--balance", "loss", "--mix", "mixup", "--label-smoothing", "0.1"],
        ["--augment", "photo", "--crop", "0.5", "--clip", "1", "--optimizer", "sgd"],
        ["--augment", "dyed", "--occlusion", "0.5"],
        ["--head", "hidden", "--dropout", "0.3", "--schedule", "cosine"],
        ["--patience", "1", "--lr", "1e-12", "--epochs", "40"],
    ],
    ids=lambda flags: flags[0],
)
def test_options(source, tmp_path, flags):
    assert train(source, tmp_path / "run", *flags) == 0
    rows = read_metrics(tmp_path / "run" / "metrics.csv")
    assert all(np.isfinite(float(row["train_loss"])) for row in rows)
    assert len(rows) < 40  # patience ended the last case early


def test_a_frozen_backbone_stays_until_it_is_freed(source, tmp_path):
    flags = ["--pretrained", "imagenet", "--dropout", "0"]
    frozen, freed = tmp_path / "frozen", tmp_path / "freed"
    assert train(source, frozen, *flags, "--freeze-backbone", model="efficientnet-lite0") == 0
    late = ["--unfreeze-after", "1", "--backbone-lr", "1e-5"]
    assert train(source, freed, *flags, *late, model="efficientnet-lite0") == 0
    published = MODELS["efficientnet-lite0"](Shape(3, size=32, channels=3), dropout=0)
    load_pretrained(published, "efficientnet-lite0", "imagenet")
    changed = []
    for folder in (frozen, freed):
        state = torch.load(folder / "last.ckpt", weights_only=True)["current_model_state"]
        changed.append(
            [
                name
                for name, value in published.backbone.state_dict().items()
                if not torch.equal(value, state[f"network.backbone.{name}"])
            ]
        )
    assert changed[0] == []  # batch norm's statistics too
    assert any("running_mean" in name for name in changed[1])
    assert any("conv" in name for name in changed[1])


def test_a_teacher_is_distilled(run, source, tmp_path, capsys):
    assert export.main([str(run), "--out", str(tmp_path)]) == 0
    teacher = ["--teacher", str(tmp_path / "deep.onnx")]
    assert train(source, tmp_path / "taught", *teacher) == 0
    assert train(source, tmp_path / "large", *teacher, "--image-size", "48") == 2
    assert "--image-size" in capsys.readouterr().err


def test_a_photo_that_vanishes_in_training_is_counted(source, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("training.common.subsets.WORKERS", 2)
    copy, run = tmp_path / "photos", tmp_path / "run"
    shutil.copytree(source, copy)
    assert train(copy, run, "--epochs", "1") == 0
    splits = photo_splits(run, load_run(run).config.settings, max_bad=0)
    splits.training.samples[0].path.write_bytes(b"gone bad")
    labels = torch.cat([labels for _, labels in splits.training.loader(Sampling(8, seed=0))])
    assert (labels == -1).sum() <= 1 and (labels >= 0).sum() >= len(labels) - 1
    assert train(run / "data", tmp_path / "again", "--batch-size", "24") == 8
    assert "unreadable" in capsys.readouterr().err
    assert (tmp_path / "again" / "unreadable.txt").read_text()
    assert train(run / "data", tmp_path / "allowed", "--max-bad", "0.1") == 0


@pytest.mark.parametrize(
    ("flags", "status", "reason"),
    [
        (["--model", "nonsense"], 2, "no such recipe or network"),
        (["--model", "photo"], 2, "give --data"),
        (["--model", "deep", "--data", "absent"], 8, "no data set"),
        (["--model", "deep", "--pretrained", "imagenet"], 2, "no backbone"),
        (["--model", "deep", "--freeze-backbone"], 2, "no backbone"),
        (["--model", "resnet18", "--pretrained", "absent.pth"], 6, "absent.pth"),
        (["--model", "deep", "--crop", "0"], 2, "--crop"),
        (["--model", "deep", "--devices", "2"], 2, "--out"),
        (["--model", "deep", "--teacher", "absent"], 6, "no model 'absent'"),
        (["--refit", "absent", "--out", "x"], 2, "absent is not a run folder"),
    ],
)
def test_bad_flags(tmp_path, monkeypatch, capsys, flags, status, reason):
    monkeypatch.chdir(tmp_path)
    assert fit.main(flags) == status
    error = capsys.readouterr().err
    assert reason in error and error.count("\n") == 1


def test_a_run_that_diverges_says_so(source, tmp_path, capsys):
    flags = ["--lr", "1e9", "--optimizer", "sgd", "--schedule", "step"]
    assert train(source, tmp_path / "run", *flags) == 2
    assert "--lr" in capsys.readouterr().err


def test_published_weights_offline_are_one_clear_line(monkeypatch):
    def offline(*_args, **_kwargs):
        raise OSError("Name or service not known")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", offline)
    network = MODELS["efficientnet-b0"](Shape(3, size=32, channels=3), dropout=0)
    with pytest.raises(WeightsError, match="pip installs"):
        load_pretrained(network, "efficientnet-b0", "imagenet")


def test_pretrained_from_a_file(tmp_path):
    import torchvision

    torch.manual_seed(0)
    published = torchvision.models.resnet18(weights=None)
    torch.save(published.state_dict(), tmp_path / "resnet18.pth")
    network = MODELS["resnet18"](Shape(3, size=32, channels=3), dropout=0)
    load_pretrained(network, "resnet18", str(tmp_path / "resnet18.pth"))
    assert torch.equal(network.backbone.conv1.weight, published.conv1.weight)
    other = MODELS["resnet34"](Shape(3, size=32, channels=3), dropout=0)
    with pytest.raises(WeightsError, match="does not hold a resnet34"):
        load_pretrained(other, "resnet34", str(tmp_path / "resnet18.pth"))


def test_tensorboard_and_wandb_offline(source, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    for logger, wanted in (("tensorboard", "events.out*"), ("wandb", "*.wandb")):
        pytest.importorskip(logger, reason=f"{logger} is not installed")
        out = tmp_path / logger
        assert train(source, out, "--logger", logger, "--epochs", "1") == 0
        assert list(out.rglob(wanted))


def test_the_index_replaces_a_run_s_row(run, tmp_path):
    copy = tmp_path / "small"
    shutil.copytree(run, copy)
    for _ in range(2):
        runs.enter_index(copy, load_run(copy).config)
    with (tmp_path / "index.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 1
