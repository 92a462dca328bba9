"""What networks cost, held against published figures; what compression may lose."""

import json

import pytest
import torch

from preprocessing.datasets import fashion_mnist
from preprocessing.errors import DataError
from training import compare, compress, export, fit, profile
from training.inference import weights
from training.inference.shape import Shape
from training.models import MODELS

try:
    fashion_mnist.find(download=False)
except DataError as error:
    pytest.skip(str(error), allow_module_level=True)


def network(name, size):
    shape = Shape(1000, size=size, channels=3)
    return MODELS[name](shape, dropout=0).eval(), torch.zeros(1, 3, size, size)


@pytest.mark.parametrize(
    ("name", "size", "published"),
    [
        ("efficientnet-b0", 224, 0.39e9),  # arXiv 1905.11946, table 2
        ("efficientnet-b0", 256, 0.39e9 * (256 / 224) ** 2),
        ("resnet18", 224, 1.81e9),  # torchvision's table of models
        ("resnet50", 224, 4.09e9),
    ],
)
def test_multiply_accumulates_are_the_published_ones(name, size, published):
    assert profile.count_macs(*network(name, size)) == pytest.approx(published, rel=0.02)


@pytest.mark.parametrize(
    ("name", "published"),  # Araujo et al. 2019, doi 10.23915/distill.00021
    [("vgg16", 212), ("resnet18", 435), ("efficientnet-b0", 851)],
)
def test_receptive_fields_are_the_published_ones(name, published):
    assert profile.receptive_field(*network(name, 64)) == published


def test_layers_add_up():
    built, image = network("resnet18", 64)
    layers = profile.layers_of(built, image)
    assert sum(layer.macs for layer in layers) == profile.count_macs(built, image)
    assert len(layers) == 21  # 20 convolutions and the head


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    run = folder / "runs" / "baseline"
    flags = ["--limit-train", "512", "--limit-test", "100", "--batch-size", "64", "--epochs", "1"]
    assert fit.main(["--model", "baseline", "--out", str(run), *flags]) == 0
    assert export.main([str(run), "--out", str(folder), "--precision", "single"]) == 0
    return folder


def test_a_profile_of_weights(published, tmp_path, capsys):
    figures = tmp_path / "figures.json"
    model = str(published / "baseline.safetensors")
    assert profile.main(["--model", model, "--json", str(figures)]) == 0
    found = json.loads(figures.read_text())
    assert found["macs"] == 28 * 28 * 25 * 128 + 256 * 128 * 7 * 7 + 10 * 256
    assert found["receptive_field"] == 8 and 0 < found["effective_field"] <= 8
    assert {(t["engine"], t["batch"]) for t in found["timings"]} == {
        (engine, batch) for engine in ("openvino", "torch") for batch in (1, 4, 16)
    }
    assert all(t["median"] > 0 for t in found["timings"]) and found["peak_megabytes"]["torch"] > 50
    assert "receptive field" in capsys.readouterr().out
    assert profile.main(["--model", model, "--image-size", "32"]) == 2
    assert profile.main(["--model", "nonsense"]) == 6


def test_compare_measures_every_run(published, tmp_path, capsys):
    register = str(published / "runs" / "index.csv")
    assert compare.main([register, "--out", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        "compare.md", "compare.csv", "compare.png"
    }  # fmt: skip
    assert "baseline" in capsys.readouterr().out
    assert compare.main([str(tmp_path / "absent.csv")]) == 2


def test_compression_keeps_the_answers_or_is_refused(published, tmp_path, capsys):
    model = str(published / "baseline.safetensors")
    out = ["--out", str(tmp_path)]
    assert compress.main(["--model", model, "--to", "fp16", *out]) == 0
    assert weights.read_info(tmp_path / "baseline-fp16.safetensors").name == "baseline-fp16"
    half = (tmp_path / "baseline-fp16.onnx").stat().st_size
    assert half < 0.6 * (published / "baseline.onnx").stat().st_size
    assert compress.main(["--model", model, "--to", "int8", "--max-drop", "100", *out]) == 0
    assert (tmp_path / "baseline-int8.onnx").stat().st_size < 0.6 * half
    assert weights.verified(tmp_path / "baseline-int8.onnx")
    assert "macro-F1" in capsys.readouterr().out


def test_the_gate_refuses_what_lost_too_much(published, tmp_path, monkeypatch, capsys):
    def ruin(path, images, keep):
        import onnx
        from onnx import numpy_helper

        model = onnx.load(path)
        for tensor in model.graph.initializer:
            values = numpy_helper.to_array(tensor)
            if values.ndim > 1:
                tensor.CopyFrom(numpy_helper.from_array(0 * values, tensor.name))
        path.write_bytes(model.SerializeToString())

    monkeypatch.setattr(compress, "_quantise", ruin)
    model = str(published / "baseline.safetensors")
    assert compress.main(["--model", model, "--to", "int8", "--out", str(tmp_path)]) == 6
    assert "not published" in capsys.readouterr().err and not list(tmp_path.iterdir())
