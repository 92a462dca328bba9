"""Models of attributes: the split, masked losses, figures, and a run to a table of answers."""

import csv
import dataclasses
import json

import cv2
import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score
from training.common.data_parts import rarity

from preprocessing.datasets.attribute_table import MISSING, Attribute, read_table
from preprocessing.errors import DataError, UsageError
from training import evaluate, export, fit, predict
from training.attributes.data import open_parts, split_products
from training.attributes.evaluate import catch_alls, judge
from training.attributes.fit import AttributeTask
from training.attributes.settings import ATTRIBUTE_MODELS
from training.common.runs import read_config
from training.inference import weights

pytestmark = pytest.mark.usefixtures("no_worker")

TWO = (Attribute("a", ("0", "1"), ("0", "1")), Attribute("b", tuple("xyz"), tuple("xyz")))
COLOURS = {"blue": (200, 40, 30), "red": (30, 40, 200)}
PRODUCTS = 16
RECIPE = dataclasses.replace(
    ATTRIBUTE_MODELS["attributes"], network="resnet18", pretrained="none", size=32
)


def write_pictures(folder):
    """Two views a product: a square or a disc, in one of two colours; a gap in every fourth row."""
    (folder / "images").mkdir(parents=True)
    rows = []
    for product in range(PRODUCTS):
        colour, shape = ("blue", "red")[product % 2], ("disc", "square")[product // 2 % 2]
        for view in (1, 2):
            rng = np.random.default_rng(10 * product + view)
            image = rng.integers(180, 255, (48, 40, 3), np.uint8)
            x, y = (int(v) for v in rng.integers(14, 26, 2))
            if shape == "disc":
                cv2.circle(image, (x, y), 11, COLOURS[colour], cv2.FILLED)
            else:
                cv2.rectangle(image, (x - 10, y - 10), (x + 10, y + 10), COLOURS[colour], -1)
            name = f"item{product:02d}-{view}.png"
            cv2.imwrite(str(folder / "images" / name), image)
            known = shape if (product + view) % 4 else "#N/A"
            rows.append(f"{name},{colour},{known}")
    rows.append("absent-1.png,red,disc")
    (folder / "table.csv").write_text("\n".join(["filename,colour,shape", *rows]) + "\n")
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_pictures(tmp_path_factory.mktemp("data") / "set")


def flags_of(data):
    return ["--table", str(data / "table.csv"), "--images", str(data / "images")]


def train(data, out, *flags):
    quick = ["--backbone", "resnet18", "--image-size", "32", "--epochs", "1", "--batch-size", "8"]
    command = ["--model", "attributes", *flags_of(data), "--out", str(out), *quick]
    return fit.main([*command, "--device", "cpu", *flags])


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "small"
    assert train(data, folder, "--catch-all", "shape=square") == 0
    return folder


def test_products_stay_on_one_side(data):
    table = read_table(data / "table.csv")
    training, validation = split_products(table, share=0.75, seed=0)
    assert sorted([*training, *validation]) == list(range(len(table)))
    sides = [{table.groups[row] for row in rows} for rows in (training, validation)]
    assert not sides[0] & sides[1] and len(sides[0]) == round(0.75 * (PRODUCTS + 1))
    with pytest.raises(DataError, match="one product"):
        split_products(table.take([0, 1]), share=0.5, seed=0)


@pytest.mark.parametrize("missing", ["mask", "class", "mode", "conditional", "drop"])
def test_only_training_gaps_are_filled(data, missing):
    recipe = dataclasses.replace(RECIPE, missing=missing)
    parts = open_parts(read_table(data / "table.csv"), data / "images", recipe, seed=0)
    gaps = (parts.training.labels == MISSING).any()
    assert gaps == (missing in ("mask", "drop"))
    assert (parts.validation.labels == MISSING).any()
    assert len(parts.attributes[1]) == (3 if missing == "class" else 2)
    assert parts.absent == ("absent-1.png",)


def task_of(recipe=RECIPE, **more):
    attributes = (
        Attribute("a", ("0", "1"), ("0", "1")),
        Attribute("b", tuple("xyz"), tuple("xyz")),
    )
    return AttributeTask(recipe, attributes, modes=np.zeros(2, int), **more)


def test_the_loss_is_that_of_what_is_known():
    task, logits = task_of(), torch.randn(3, 5, requires_grad=True)
    values = torch.tensor([[0, MISSING], [1, 2], [MISSING, MISSING]])
    loss = task.loss(logits, values)
    first = torch.nn.functional.cross_entropy(logits[:2, :2], values[:2, 0])
    second = torch.nn.functional.cross_entropy(logits[1:2, 2:], values[1:2, 1])
    assert torch.allclose(loss, (first + second) / 2)
    loss.backward()
    assert logits.grad[2].abs().sum() == 0 and logits.grad[0, 2:].abs().sum() == 0
    assert task.loss(logits, torch.full((3, 2), MISSING)) == 0


def test_class_weights_reach_the_loss():
    logits, values = torch.randn(4, 5), torch.tensor([[0, 0], [1, 2], [1, 1], [0, 2]])
    weights_ = [torch.tensor([1.0, 5.0]), torch.ones(3)]
    plain, weighed = task_of().loss(logits, values), None
    weighed = task_of(class_weights=weights_).loss(logits, values)
    assert not torch.isclose(plain, weighed)


def test_rare_classes_are_drawn_more_often():
    labels = torch.tensor([[0, 0], [0, MISSING], [0, 1], [1, MISSING], [MISSING, MISSING]])
    shares = rarity(labels)
    assert shares.tolist() == pytest.approx([(1 / 3 + 1) / 2, 1 / 3, (1 / 3 + 1) / 2, 1, 0])


def test_figures_count_what_is_known_beside_the_baseline():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(40, 5)).astype(np.float32)
    values = np.stack([rng.integers(-1, 2, 40), rng.integers(-1, 3, 40)], axis=1)
    _, second = judge(logits, values, TWO, modes=np.array([1, 2]))
    kept = values[:, 1] >= 0
    truth, said = values[kept, 1], logits[kept, 2:].argmax(1)
    assert second.scores.count == kept.sum()
    assert second.scores.macro_f1 == pytest.approx(f1_score(truth, said, average="macro"))
    assert second.baseline.accuracy == pytest.approx((truth == 2).mean())
    strict = judge(logits, values, TWO, modes=np.array([1, 2]), catch_all={"b": "z"})[1]
    kept = np.isin(values[:, 1], [0, 1])
    assert strict.scores.count == kept.sum()
    assert strict.scores.accuracy == pytest.approx(
        (logits[kept, 2:4].argmax(1) == values[kept, 1]).mean()
    )


def test_catch_alls():
    attributes = (Attribute("a", ("0", "1"), ("0", "1")), Attribute("b", ("x", "#N/A"), ("x", "")))
    assert catch_alls("last", attributes) == {"a": "1", "b": "x"}
    assert catch_alls("a=0", attributes) == {"a": "0"}
    with pytest.raises(UsageError, match="have a=0"):
        catch_alls("a=7", attributes)


def test_a_run_is_complete(run):
    names = {path.name for path in run.iterdir()}
    assert names >= {"config.json", "metrics.csv", "curves.png", "report.md", "report.json"}
    figures = json.loads((run / "report.json").read_text())
    assert set(figures["attributes"]) == {"colour", "shape", "without_catch_all"}
    assert "shape (without square)" in (run / "report.md").read_text()


def test_publish_predict_and_evaluate(run, data, tmp_path, capsys):
    assert export.main([str(run), "--out", str(tmp_path)]) == 0
    info = weights.read_info(tmp_path / "attributes.safetensors")
    assert info.task == "attributes" and info.attributes[1].codes == ("disc", "square")
    model = str(tmp_path / "attributes.onnx")
    (tmp_path / "in").mkdir()
    for name in ("item03-1.png", "item00-2.png"):
        (tmp_path / "in" / name).write_bytes((data / "images" / name).read_bytes())
    (tmp_path / "in" / "broken.png").write_bytes(b"no picture")
    flags = ["--model", model, "--input", str(tmp_path / "in"), "-o", str(tmp_path / "out.csv")]
    assert predict.main([*flags, "--out-image", str(tmp_path / "out.png")]) == 0
    told = capsys.readouterr()
    assert "2 rows" in told.out and "1 pictures could not be read" in told.out
    assert "broken.png" in told.err
    with (tmp_path / "out.csv").open() as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["filename", "colour", "shape"]
    assert [row[0] for row in rows[1:]] == ["item00-2.png", "item03-1.png"]
    assert cv2.imread(str(tmp_path / "out.png")) is not None
    where = ["--model", model, "--out", str(tmp_path / "judged")]
    assert evaluate.main([*where, *flags_of(data)]) == 0
    assert "| shape | 24 |" in (tmp_path / "judged/report.md").read_text()
    assert evaluate.main(where) == 2


def test_a_missing_class_is_written_as_missing(data, tmp_path):
    assert train(data, tmp_path / "run", "--missing", "class") == 0
    assert export.main([str(tmp_path / "run"), "--out", str(tmp_path)]) == 0
    info = weights.read_info(tmp_path / "attributes.safetensors")
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
def test_flags_change_the_training(run, data, tmp_path, flags, changed):
    assert train(data, tmp_path / "run", *flags) == 0
    recipe, _ = read_config(tmp_path / "run", type(RECIPE))
    assert {name: getattr(recipe, name) for name in changed} == changed
    other = [p / "metrics.csv" for p in (run, tmp_path / "run")]
    losses = [list(csv.DictReader(path.open()))[-1]["train_loss"] for path in other]
    assert losses[0] != losses[1]


@pytest.mark.parametrize(
    ("flags", "status", "said"),
    [
        (["--model", "attributes"], 2, "--table"),
        (["--model", "deep", "--missing", "drop"], 2, "--missing: not for classifiers"),
        (["--model", "attributes", "--mix", "mixup"], 2, "--mix: not for models of attributes"),
    ],
)
def test_wrong_flags(data, tmp_path, capsys, flags, status, said):
    more = flags_of(data) if "--mix" in flags else []
    assert fit.main([*flags, *more, "--out", str(tmp_path / "run")]) == status
    assert said in capsys.readouterr().err
