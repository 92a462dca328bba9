"""DeepFashion networks: losses of what is known, figures, and a run on a miniature archive."""

import csv
import dataclasses
import json

import cv2
import numpy as np
import pytest
import torch
from torchmetrics.classification import MulticlassAccuracy
from torchmetrics.functional.retrieval import retrieval_recall
from torchvision.ops import roi_align

from preprocessing.datasets.attribute_table import MISSING
from preprocessing.datasets.deepfashion_benchmark import POINTS, read_benchmark
from training import evaluate, export, fit, predict
from training.common.runs import read_config
from training.deepfashion.data import SWAPPED, changed, clipped
from training.deepfashion.evaluate import recall_at_k, top_k
from training.deepfashion.losses import (
    attribute_loss,
    box_loss,
    category_loss,
    landmark_loss,
    losses,
)
from training.deepfashion.network import BRANCH, Outputs, aligned, box_of
from training.deepfashion.settings import FASHION_MODELS, FashionRecipe
from training.inference import weights

pytestmark = pytest.mark.usefixtures("no_worker")

RECIPE = FASHION_MODELS["deepfashion"]
SPLITS = {"train": 12, "val": 6, "test": 6}
CATEGORIES = {"Tee": 1, "Skirt": 2, "Dress": 3}
LISTS = {  # header of each list
    "list_category_cloth": "category_name  category_type",
    "list_category_img": "image_name  category_label",
    "list_attr_cloth": "attribute_name  attribute_type",
    "list_attr_img": "image_name  attribute_labels",
    "list_bbox": "image_name  x_1 y_1 x_2 y_2",
    "list_eval_partition": "image_name evaluation_status",
    "list_landmarks": "image_name clothes_type landmark_visibility_1 ...",
}


def write_archive(root):
    """Squares of three colours, one a category, with an attribute and a landmark in the middle."""
    rows = {name: [] for name in LISTS}
    rows["list_category_cloth"] = [f"{name}  {kind}" for name, kind in CATEGORIES.items()]
    rows["list_attr_cloth"] = ["dark one  1", "large  3"]
    for split, count in SPLITS.items():
        for k in range(count):
            rng = np.random.default_rng(100 * len(split) + k)
            number, large = k % 3, bool(k % 2)
            image = rng.integers(180, 255, (60, 50, 3), np.uint8)
            side, (x, y) = (26 if large else 14), rng.integers(2, 20, 2)
            colour = [(200, 30, 30), (30, 160, 30), (20, 20, 120)][number]
            cv2.rectangle(image, (int(x), int(y)), (int(x) + side, int(y) + side), colour, -1)
            name = f"img/{list(CATEGORIES)[number]}_{split}{k}/img_1.jpg"
            (root / name).parent.mkdir(parents=True)
            cv2.imwrite(str(root / name), image)
            rows["list_category_img"].append(f"{name}  {number + 1}")
            rows["list_attr_img"].append(f"{name}  {1 if number == 2 else -1} {1 if large else 0}")
            rows["list_bbox"].append(f"{name}  {x:03d} {y:03d} {x + side:03d} {y + side:03d}")
            rows["list_eval_partition"].append(f"{name}  {split}")
            rows["list_landmarks"].append(f"{name} 1 0 {x + side // 2:03d} {y + side // 2:03d}")
    for name, lines in rows.items():
        folder = root / ("Eval" if name == "list_eval_partition" else "Anno")
        folder.mkdir(exist_ok=True)
        text = "\n".join([str(len(lines)), LISTS[name], *lines]) + "\n"
        (folder / f"{name}.txt").write_text(text)
    return root


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_archive(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def outputs(data):
    return Outputs.of(read_benchmark(data))


def train(data, out, *flags):
    quick = ["--backbone", "resnet18", "--image-size", "32", "--epochs", "1", "--batch-size", "6"]
    command = ["--model", "deepfashion", "--data", str(data), "--out", str(out), *quick]
    return fit.main([*command, "--device", "cpu", *flags])


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "small"
    assert train(data, folder) == 0
    return folder


def test_boxes_are_ordered_and_within_the_picture():
    boxes = box_of(30 * torch.randn(200, 4, 8, 8))
    assert (boxes >= 0).all() and (boxes <= 1).all()
    assert (boxes[:, 2:] >= boxes[:, :2]).all()
    # Of maps that are high in one place each, the box between those places.
    peaks = torch.zeros(1, 4, 5, 5)
    peaks[0, 0, :, 3], peaks[0, 1, :, 1], peaks[0, 2, 2], peaks[0, 3, 4] = 60, 60, 60, 60
    assert torch.allclose(box_of(peaks), torch.tensor([[0.25, 0.5, 0.75, 1.0]]), atol=1e-3)
    assert clipped(np.float32((50, 70, -5, 20)), width=40, height=60).tolist() == [0, 20, 40, 60]
    assert clipped(np.float32((90, 9, 95, 9)), width=40, height=60).tolist() == [39, 9, 40, 10]


def test_local_features_are_those_of_roi_align():
    maps, boxes = (
        torch.randn(2, 4, 8, 8),
        torch.tensor([[0.1, 0.2, 0.7, 0.9], [0.3, 0.3, 0.5, 0.8]]),
    )
    rows = torch.cat([torch.arange(2.0)[:, None], boxes * 8], dim=1)
    expected = roi_align(maps, rows, 3, sampling_ratio=2, aligned=True)
    assert torch.allclose(aligned(maps, boxes), expected, atol=1e-5)


def test_cuts_and_growth_keep_the_box_and_mirrors_swap_the_landmarks():
    image = np.zeros((60, 50, 3), np.uint8)
    image[20:40, 10:30] = 255
    points = np.full((POINTS, 2), np.nan, np.float32)
    points[0] = (10, 20)
    sides, widths = set(), []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        view, box, found = changed(image, np.float32((10, 20, 30, 40)), points, rng)
        x1, y1, x2, y2 = box.astype(int)
        assert (view[y1:y2, x1:x2] == 255).all() and (x2 - x1, y2 - y1) == (20, 20)
        mirrored = np.isfinite(found[1]).all()
        assert np.isfinite(found[1 if mirrored else 0]).all()
        assert found[1 if mirrored else 0].tolist() == [x2 if mirrored else x1, y1]
        sides.add(bool(mirrored))
        widths.append(view.shape[1])
    assert sides == {True, False}
    assert min(widths) < image.shape[1] < max(widths)
    assert [SWAPPED[k] for k in SWAPPED] == list(range(POINTS))


def test_a_category_teaches_its_own_branch_alone(outputs):
    answer = torch.randn(2, outputs.size, requires_grad=True)
    category_loss(outputs.split(answer), torch.tensor([1, MISSING]), outputs).backward()
    grads = outputs.split(answer.grad)
    # One class a branch, so that a branch itself has nothing to learn; the type has.
    assert grads["one", "type"][0].abs().sum() > 0 and grads["one", "type"][1].abs().sum() == 0
    wide = dataclasses.replace(outputs.of_kind(BRANCH)[0], codes=("a", "b"), titles=("a", "b"))
    parts = tuple(wide if part.name == "upper" else part for part in outputs.parts)
    answer = torch.randn(2, Outputs(parts).size, requires_grad=True)
    split = Outputs(parts).split(answer)
    category_loss(split, torch.tensor([0, 2]), Outputs(parts)).backward()
    grads = Outputs(parts).split(answer.grad)
    assert grads[BRANCH, "upper"][0].abs().sum() > 0 and grads[BRANCH, "upper"][1].abs().sum() == 0


def test_category_scores_are_probabilities(outputs):
    scores = outputs.category_scores(outputs.split(torch.randn(5, outputs.size)))
    assert scores.shape == (5, 3) and torch.allclose(scores.sum(dim=1), torch.ones(5))


def test_attribute_losses_by_hand():
    logits = torch.tensor([[2.0, -1.0, 0.5]])
    has = torch.tensor([[1.0, 0.0, MISSING]])
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    each = [bce(logits[0, k], has[0, k]) for k in (0, 1)]
    mean = attribute_loss(logits, has, RECIPE)
    assert mean == pytest.approx(float(sum(each)) / 2)
    summed = dataclasses.replace(RECIPE, reduction="sum")
    assert attribute_loss(logits, has, summed) == pytest.approx(float(sum(each)))
    heavy = attribute_loss(logits, has, summed, positive_weights=torch.tensor([5.0, 5.0, 5.0]))
    assert heavy == pytest.approx(float(5 * each[0] + each[1]))
    hinge = dataclasses.replace(RECIPE, attribute_loss="hinge", reduction="sum")
    assert attribute_loss(torch.tensor([[0.25, -0.5, 9]]), has, hinge) == pytest.approx(0.75 + 0.5)


def test_losses_leave_out_what_is_unknown():
    boxes = torch.tensor([[0.1, 0.1, 0.5, 0.5], [0.0, 0.0, 1.0, 1.0]], requires_grad=True)
    truth = torch.tensor([[0.1, 0.1, 0.5, 0.5], [torch.nan] * 4])
    for kind in ("giou", "l1"):
        assert box_loss(boxes, truth, kind).item() == pytest.approx(0, abs=1e-5)
    box_loss(boxes, truth * torch.nan, "giou").backward()
    assert boxes.grad.abs().sum() == 0
    points = torch.full((1, POINTS, 2), torch.nan)
    assert landmark_loss(torch.randn(1, 3 * POINTS), points) == 0


def test_weights_of_losses_reach_the_sum(outputs):
    answer = torch.rand(3, outputs.size)
    truth = {
        "box": torch.rand(3, 4).sort(dim=1).values, "landmarks": torch.rand(3, POINTS, 2),
        "category": torch.tensor([0, 1, 2]), "has": torch.tensor([[1.0, 0.0]] * 3),
    }  # fmt: skip
    once = losses(answer, truth, outputs, RECIPE)
    assert set(once) == {"box", "category", "attributes", "landmarks"}
    for name, field in (("box", "box"), ("category", "category"), ("attributes", "attribute"),
                        ("landmarks", "landmark")):  # fmt: skip
        field = f"{field}_weight"
        twice = dataclasses.replace(RECIPE, **{field: 2 * getattr(RECIPE, field)})
        assert losses(answer, truth, outputs, twice)[name] == pytest.approx(2 * float(once[name]))


def test_figures_by_hand():
    scores = np.array([[0.9, 0.8, 0.1, 0.0], [0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1]])
    assert top_k(scores, np.array([1, 0, 0]), 1) == pytest.approx(1 / 3)
    assert top_k(scores, np.array([1, 0, 0]), 2) == pytest.approx(2 / 3)
    has = np.array([[1, 0, 1, 0], [1, 1, 1, 0], [0, 0, 0, 0]])
    # Two of four: the first picture has 2 and finds 1, the second has 3, of which 2 could be found.
    assert recall_at_k(scores, has, 2) == pytest.approx((1 / 2 + 1 / 2) / 2)
    assert recall_at_k(scores, has, 3) == pytest.approx((2 / 2 + 2 / 3) / 2)
    assert np.isnan(recall_at_k(scores, np.zeros((3, 4)), 3))


def test_figures_are_those_of_torchmetrics():
    rng = np.random.default_rng(0)
    scores, labels = rng.random((200, 12)), rng.integers(0, 12, 200)
    for k in (1, 3, 5):
        library = MulticlassAccuracy(12, top_k=k, average="micro")
        expected = float(library(torch.from_numpy(scores), torch.from_numpy(labels)))
        assert top_k(scores, labels, k) == pytest.approx(expected)
    has = (rng.random((200, 12)) < 0.15).astype(int)
    has[has.sum(axis=1) > 3] = 0  # the library divides by all attributes, not by what k reaches
    rows = [(torch.from_numpy(s), torch.from_numpy(h)) for s, h in zip(scores, has, strict=True)]
    for k in (3, 5):
        expected = np.mean([float(retrieval_recall(s, h, top_k=k)) for s, h in rows if h.any()])
        assert recall_at_k(scores, has, k) == pytest.approx(expected)


def test_a_run_is_complete(run):
    names = {path.name for path in run.iterdir()}
    assert names >= {"config.json", "metrics.csv", "results.csv", "report.md", "report.json",
                     "curves.png", "boxes.png", "best.ckpt"}  # fmt: skip
    figures = json.loads((run / "report.json").read_text())
    assert figures["count"] == SPLITS["test"] and 0 <= figures["category_top1"] <= 1
    assert {"all_recall3", "texture_recall5", "shape_recall3", "landmark_error"} <= figures.keys()
    with (run / "results.csv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["0"]


def test_publish_and_predict(run, data, tmp_path, capsys):
    assert export.main([str(run), "--out", str(tmp_path)]) == 0
    info = weights.read_info(tmp_path / "deepfashion.safetensors")
    assert info.task == "deepfashion" and [p.name for p in info.attributes][:2] == ["box", "type"]
    model = str(tmp_path / "deepfashion.safetensors")
    where = ["--model", model, "--out", str(tmp_path / "judged")]
    assert evaluate.main([*where, "--data", str(data)]) == 0
    again = json.loads((tmp_path / "judged/report.json").read_text())
    first = json.loads((run / "report.json").read_text())
    assert again == pytest.approx(first, abs=0.02)  # half precision
    assert evaluate.main(where) == 2
    picture = next(iter(sorted(data.glob("img/*/*.jpg"))))
    flags = ["--model", str(tmp_path / "deepfashion.onnx"), "--input", str(picture)]
    out = ["-o", str(tmp_path / "out.csv"), "--out-image", str(tmp_path / "figures")]
    assert predict.main([*flags, *out, "--top-k", "2"]) == 0
    with (tmp_path / "out.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert row["type"] in ("upper", "lower", "full") and row["category"].count("|") == 1
    assert 0 <= float(row["x1"]) <= float(row["x2"]) <= 50
    assert cv2.imread(str(tmp_path / "figures" / "img_1.png")) is not None
    sure = float(row["category"].split(":")[1].split("|")[0])
    assert predict.main([*flags, *out, "--softmax-temp", "20"]) == 0
    with (tmp_path / "out.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert float(row["category"].split(":")[1].split("|")[0]) < sure


def test_it_goes_on_where_it_stopped(run, data, tmp_path, monkeypatch):
    monkeypatch.setattr(fit, "RUNS", tmp_path)
    assert fit.main(["--model", "deepfashion", "--resume", "auto"]) == 2
    assert train(data, tmp_path / "old") == 0
    assert fit.newest_run("deepfashion") == tmp_path / "old"


@pytest.mark.parametrize(
    ("flags", "changed_fields"),
    [
        (["--box-loss", "l1"], {"box_loss": "l1"}),
        (["--attribute-loss", "hinge"], {"attribute_loss": "hinge"}),
        (["--reduction", "sum"], {"reduction": "sum"}),
        (["--positive-weight", "0"], {"positive_weight": 0}),
        (["--box-weight", "0.001"], {"box_weight": 0.001}),
        (["--precision", "single", "--freeze-backbone"], {"frozen_epochs": 1}),
    ],
)
def test_flags_change_the_training(run, data, tmp_path, flags, changed_fields):
    assert train(data, tmp_path / "run", *flags) == 0
    recipe, _ = read_config(tmp_path / "run", FashionRecipe)
    assert {name: getattr(recipe, name) for name in changed_fields} == changed_fields
    losses_ = [list(csv.DictReader((path / "metrics.csv").open()))[-1]["train_loss"]
               for path in (run, tmp_path / "run")]  # fmt: skip
    assert losses_[0] != losses_[1]


def test_half_precision_needs_a_gpu(data, tmp_path, capsys):
    assert train(data, tmp_path / "run", "--precision", "fp16") == 2
    assert "--precision fp16 needs a GPU" in capsys.readouterr().err
