"""Detectors: COCO figures, and a whole run."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import photos
import pytest
import torch
from safetensors.torch import save_file

from preprocessing.builders import canvases, crops_from_boxes
from preprocessing.datasets.samples import read_samples
from preprocessing.datasets.yolo_layout import Boxes, label_path, read_boxes, read_layout
from preprocessing.errors import DataError
from preprocessing.images.pictures import read_picture
from preprocessing.images.regions import box_iou
from training import average, evaluate, export, fit
from training.common import runs
from training.common.runs import read_config, read_metrics
from training.detection import fit as detection_fit
from training.detection import metrics
from training.detection.settings import DETECTORS, DetectorRecipe
from training.inference import weights
from training.inference.detector import Detections, Detector, openvino_detector

SIDE = 96


def answer(truth, found, *, labels=None, scores=None, classes=2):
    """An image with true boxes of class 0 and boxes found of `labels` with `scores`."""
    truth, found = (np.array(b, np.float32).reshape(-1, 4) for b in (truth, found))
    rows = np.zeros((len(found), classes), np.float32)
    rows[range(len(found)), labels or 0] = scores or 0.9
    boxes = Boxes(np.zeros(len(truth), np.int64), truth)
    peak = rows.max(initial=0)
    return metrics.Answer(Path("x.png"), 100, 100, boxes, Detections(found, rows), peak)


BOX, SHIFTED = [10, 10, 50, 50], [10, 10, 50, 42]  # IoU 0.8


@pytest.mark.parametrize(
    ("given", "map50", "map50_95"),
    [
        ([answer([BOX], [BOX])], 1.0, 1.0),
        ([answer([BOX], [SHIFTED])], 1.0, 0.6),  # found at 0.5 to 0.75, and at 0.8 just not
        ([answer([BOX], [])], 0.0, 0.0),
        ([answer([BOX], [BOX], labels=[1])], 0.0, 0.0),
        ([answer([BOX], [BOX]), answer([], [BOX], scores=[0.5])], 1.0, 1.0),
        ([answer([BOX], [BOX], scores=[0.5]), answer([], [BOX])], 0.5, 0.5),
    ],
)
def test_average_precision_of_known_cases(given, map50, map50_95):
    scores = metrics.score(given, classes=2, threshold=0.25)
    assert scores.map50 == pytest.approx(map50, abs=0.01)
    assert scores.map50_95 == pytest.approx(map50_95, abs=0.11)
    assert np.isnan(scores.per_class[1]).all()


def test_false_boxes_are_counted_at_the_threshold():
    given = [answer([], [BOX], scores=[0.6]), answer([], [BOX], scores=[0.2]), answer([], []),
             answer([BOX], [BOX])]  # fmt: skip
    scores = metrics.score(given, classes=2, threshold=0.5)
    assert scores.empty == 3 and scores.false_frames == pytest.approx(1 / 3)


def test_the_threshold_with_the_best_f1():
    given = [answer([BOX], [BOX], scores=[0.7]), answer([BOX], [BOX], scores=[0.4]),
             answer([], [BOX], scores=[0.3])]  # fmt: skip
    assert metrics.best_threshold(given) == pytest.approx((0.4, 1.0))
    given.append(answer([], [BOX], scores=[0.5]))  # an empty picture must not show a box
    assert metrics.best_threshold(given) == pytest.approx((0.7, 2 / 3))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("canvases")
    source = photos.folder(folder / "photos")
    flags = ["--source", "photos", "--photos", str(source), "--size", str(SIDE)]
    assert canvases.main(["--out", str(folder / "boxes"), "--count", "24", *flags]) == 0
    return folder / "boxes" / "data.yaml"


def test_pictures_grow_during_the_training():
    recipe = replace(DETECTORS["yolo"], epochs=9, size=320, smaller=((128, 2 / 3), (224, 8 / 9)))
    assert [recipe.size_at(epoch) for epoch in range(10)] == [128] * 6 + [224] * 2 + [320] * 2
    assert replace(recipe, size=96).size_at(0) == 96
    assert replace(recipe, smaller=()).size_at(0) == 320


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    pytest.importorskip("ultralytics", reason="ultralytics is not installed")
    folder = tmp_path_factory.mktemp("runs") / "small"
    assert train(data, folder) == 0
    return folder


def train(data, out, *flags):
    command = ["--model", "yolo", "--data", str(data), "--out", str(out), "--epochs", "1"]
    return fit.main([*command, "--batch-size", "8", "--image-size", str(SIDE), *flags])


def test_a_run_is_complete(run):
    names = {path.name for path in run.iterdir()}
    assert names >= {
        "config.json", "metrics.csv", "curves.png", "report.md", "report.json", "boxes.png",
        "precision_recall.png", "yolo.onnx", "yolo.safetensors",
    }  # fmt: skip
    figures = json.loads((run / "report.json").read_text())
    assert 0 <= figures["map50_95"] <= figures["map50"] <= 1 and figures["images"] == 2
    rows = runs.read_index(run.parent / "index.csv")
    assert rows[0]["run"] == str(run) and rows[0]["map50"] != ""
    recipe, _ = read_config(run, DetectorRecipe)
    assert recipe.size == SIDE and not recipe.smaller  # --image-size holds for all epochs


def test_publish_and_evaluate(run, data, tmp_path, capsys):
    assert export.main([str(run), "--out", str(tmp_path)]) == 0
    info = weights.read_info(tmp_path / "yolo.safetensors")
    assert info.task == "detect" and info.classes == tuple(sorted(photos.SHAPES))
    model, figures = str(tmp_path / "yolo.onnx"), tmp_path / "figures.json"
    flags = ["--model", model, "--out", str(tmp_path / "report")]
    judged = ["--data", str(data), "--split", "validation", "--json", str(figures)]
    assert evaluate.main([*flags, *judged]) == 0
    assert {"map50", "map50_95"} <= json.loads(figures.read_text()).keys()
    assert evaluate.main([*flags, "--empty", str(data.parent / "images" / "val")]) == 0
    assert "images without an object" in capsys.readouterr().out
    assert evaluate.main(flags) == 2
    assert "give --data" in capsys.readouterr().err


@pytest.fixture(scope="module")
def crops(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("crops")
    assert crops_from_boxes.main(["--data", str(data), "--out", str(folder)]) == 0
    return folder


def test_boxes_are_cut_out_for_a_classifier(data, crops, tmp_path, capsys):
    layout, samples = read_layout(data), read_samples(crops)
    for split, name in (("train", "training"), ("val", "validation")):
        given = [read_boxes(path, classes=len(layout.names)) for path in layout.images(split)]
        labels = [layout.names[label] for boxes in given for label in boxes.labels]
        assert [s.label for s in samples if s.split == name] == labels
    assert tuple(json.loads((crops / "mapping.json").read_text())) == layout.names
    assert all(max(read_picture(s.path).shape) <= 64 for s in samples)
    (tmp_path / "other.yaml").write_text(f"train: {layout.folders['train'][0]}\nnames: [a, b]\n")
    command = ["--data", str(data), str(tmp_path / "other.yaml"), "--out", str(tmp_path / "x")]
    assert crops_from_boxes.main(command) == DataError.status
    assert "has the classes a, b" in capsys.readouterr().err


def test_a_namer_is_trained_and_judged_with_its_detector(run, data, crops, tmp_path, capsys):
    out = tmp_path / "names"
    flags = ["--model", "yolo-names", "--data", str(crops), "--epochs", "1", "--batch-size", "8"]
    assert fit.main([*flags, "--out", str(out)]) == 0
    assert export.main([str(out), "--out", str(tmp_path)]) == 0
    assert weights.read_info(tmp_path / "yolo-names.safetensors").size == 32
    figures = tmp_path / "figures.json"
    judged = ["--model", str(run / "yolo.onnx"), "--data", str(data), "--split", "validation"]
    judged += ["--out", str(tmp_path / "report"), "--json", str(figures), "--name-by"]
    assert evaluate.main([*judged, str(tmp_path / "yolo-names.onnx")]) == 0
    both = json.loads(figures.read_text())
    assert "named with yolo-names" in both["measured_on"] and 0 <= both["map50"] <= 1
    assert evaluate.main([*judged, "detector"]) == 0
    assert "named with" not in json.loads(figures.read_text())["measured_on"]
    assert evaluate.main([*judged, "deep"]) == 2
    assert "it knows T-shirt/top" in capsys.readouterr().err


def test_a_blend_is_the_mean_with_where_the_run_started(run, tmp_path, capsys):
    from training.detection.yolo import best_network

    second = best_network(run).state_dict()
    start = {k: torch.zeros_like(v) for k, v in second.items()}
    save_file(start, tmp_path / "start.safetensors")
    flags = [str(tmp_path / "start.safetensors"), str(run), "--share", "0.25"]
    assert average.main([*flags, "--out", str(tmp_path / "c")]) == 0
    for name, tensor in best_network(tmp_path / "c").state_dict().items():
        share = 0.25 if tensor.is_floating_point() else 1
        assert torch.allclose(tensor, share * second[name], atol=1e-6)
    assert export.main([str(tmp_path / "c"), "--out", str(tmp_path)]) == 0
    assert "training.average" in weights.read_info(tmp_path / "yolo.safetensors").command
    save_file({"weight": torch.zeros(2)}, tmp_path / "start.safetensors")
    assert average.main([*flags, "--out", str(tmp_path / "d")]) == 2
    assert "other networks" in capsys.readouterr().err


def test_ctrl_c_and_resume(data, tmp_path, monkeypatch, capsys):
    pytest.importorskip("ultralytics", reason="ultralytics is not installed")
    folder, log = tmp_path / "run", detection_fit._log_to

    def stop_after_one(run, epochs):
        def stop(epoch):
            log(run, epochs)(epoch)
            raise KeyboardInterrupt

        return stop

    monkeypatch.setattr(detection_fit, "_log_to", stop_after_one)
    assert train(data, folder, "--epochs", "2") == 130
    assert f"--resume {folder}" in capsys.readouterr().err
    monkeypatch.undo()
    assert train(data, folder) == 2  # holds a run already
    assert fit.main(["--resume", str(folder)]) == 0
    assert [row["epoch"] for row in read_metrics(folder / "metrics.csv")] == ["0", "1"]


def test_boxes_are_those_of_ultralytics_predictor(run, data):
    from ultralytics.models.yolo.detect import DetectionPredictor

    model, confidence = run / "yolo.onnx", 0.002
    info = weights.read_info(run / "yolo.safetensors")
    ours = Detector(
        info, openvino_detector(run / "yolo", info, precise=True), confidence=confidence
    )
    settings = {"model": str(model), "imgsz": info.size, "conf": confidence, "device": "cpu",
                "mode": "predict", "rect": True, "save": False, "verbose": False}  # fmt: skip
    theirs = DetectionPredictor(overrides=settings)
    compared = 0
    for path in sorted((data.parent / "images" / "train").glob("*.jpg"))[:6]:
        image = cv2.resize(cv2.imread(str(path)), (160, 96))  # padded to 96 x 64
        expected, found = theirs(image)[0].boxes, ours(image)
        assert len(expected) == len(found.boxes)
        if len(expected):
            overlap = box_iou(found.boxes, expected.xyxy.numpy())
            assert overlap.max(axis=1).min() > 0.95
            compared += len(expected)
    assert compared > 0


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
def test_broken_data_is_refused_before_training(data, tmp_path, capsys, break_it, words):
    import shutil

    folder = tmp_path / "broken"
    shutil.copytree(data.parent, folder)
    break_it(sorted((folder / "images" / "train").glob("*.jpg"))[3])
    assert train(folder / "data.yaml", tmp_path / "run") == DataError.status
    assert words in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--teacher", "deep"], "--teacher: not for detectors"),
        (["--image-size", "100"], "multiple of 32"),
        (["--epochs", "0"], "--epochs"),
        (["--pretrained", "missing.safetensors"], "missing.safetensors"),
    ],
)
def test_flags_that_do_not_fit(data, tmp_path, capsys, flags, words):
    assert train(data, tmp_path / "run", *flags) == 2
    assert words in capsys.readouterr().err


def test_recipes_are_whole():
    for recipe in DETECTORS.values():
        assert recipe.size % 32 == 0 and recipe.epochs > recipe.close_mosaic


def test_a_threshold_is_a_detectors(tmp_path, capsys):
    assert export.main([str(tmp_path), "--confidence", "0.5"]) == 2
    assert "--confidence is a detector's" in capsys.readouterr().err
