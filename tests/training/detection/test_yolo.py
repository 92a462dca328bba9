"""The adapter of ultralytics: averages, safe checkpoints, and the same boxes as its predictor."""

import os
import pickle
from types import SimpleNamespace

import cv2
import pytest
import torch
from safetensors.torch import save_file

from preprocessing.errors import UsageError
from preprocessing.images.regions import box_iou
from training import average, export
from training.inference import weights
from training.inference.detector import Detector, openvino_detector
from training.models.onnx_tensors import read_tensors

pytest.importorskip("training.detection.yolo", reason="ultralytics is not installed")


def test_an_average_lies_between_two_runs(run, tmp_path, capsys):
    from training.detection.yolo import best_network

    second = best_network(run).state_dict()
    start = {k: torch.zeros_like(v) for k, v in second.items()}
    save_file(start, tmp_path / "start.safetensors")
    flags = [str(tmp_path / "start.safetensors"), str(run), "--fraction", "0.25"]
    assert average.main([*flags, "--out", str(tmp_path / "c")]) == 0
    for name, tensor in best_network(tmp_path / "c").state_dict().items():
        fraction = 0.25 if tensor.is_floating_point() else 1
        assert torch.allclose(tensor, fraction * second[name], atol=1e-6)
    assert export.main([str(tmp_path / "c"), "--out", str(tmp_path)]) == 0
    assert "training.average" in weights.read_info(tmp_path / "yolo.onnx").command
    save_file({"weight": torch.zeros(2)}, tmp_path / "start.safetensors")
    assert average.main([*flags, "--out", str(tmp_path / "d")]) == 2
    assert "different networks" in capsys.readouterr().err


def test_pillow_stays_as_it_is(tmp_path):
    from PIL import Image, UnidentifiedImageError

    import training.detection.yolo  # noqa: F401

    assert Image.open.__module__ == "PIL.Image"
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(UnidentifiedImageError):
        Image.open(tmp_path / "text.png")


def test_weights_of_other_classes_start_a_training():
    from training.detection.yolo import _start_from, build

    start = weights.WEIGHTS_DIR / "yolo-photo.onnx"
    network = build("yolo26n", classes=1)
    outputs = {k: v.clone() for k, v in network.state_dict().items() if ".cv3." in k}
    trainer = SimpleNamespace(model=network, ema=SimpleNamespace(ema=build("yolo26n", classes=1)))
    _start_from(start)(trainer)
    tensors = read_tensors(start)
    for found in (network.state_dict(), trainer.ema.ema.state_dict()):
        first = next(name for name in tensors if name.endswith("conv.weight"))
        assert torch.equal(found[first], tensors[first])
    last = [name for name in outputs if outputs[name].shape != tensors[name].shape]
    assert last and all(torch.equal(network.state_dict()[name], outputs[name]) for name in last)


def test_a_checkpoint_executes_no_code(tmp_path):
    from training.detection.yolo import BEST, best_network

    class Harmful:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    (tmp_path / BEST).parent.mkdir()
    torch.save({"model": Harmful(), "train_args": {}}, tmp_path / BEST, pickle_module=pickle)
    with pytest.raises(UsageError, match="has no whole"):
        best_network(tmp_path)
    assert not (tmp_path / "harm").exists()


def test_boxes_are_those_of_ultralytics_predictor(run, data):
    from training.detection import yolo  # sets ultralytics up
    from ultralytics.models.yolo.detect import DetectionPredictor  # isort: skip

    assert yolo.LAST
    model, confidence = run / "yolo.onnx", 0.002
    info = weights.read_info(run / "yolo.onnx")
    ours = Detector(
        info, openvino_detector(run / "yolo", info, precision="fp32"), confidence=confidence
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
