"""A published file is one function, whether a runtime runs its graph or torch its tensors."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch

from preprocessing.errors import UsageError
from training.common.checkpoints import filled, load_network
from training.common.export_weights import write_logits_onnx
from training.common.torch_network import TorchNetwork
from training.inference.openvino_network import OpenVinoNetwork
from training.inference.weights import WEIGHTS_DIR, locate, read_info, read_manifest
from training.models.onnx_tensors import add_tensors, read_onnx_tensors, read_tensors
from training.models.registry import MODELS
from training.parsing.network import Parser, SoftmaxParser

CLASSIFIERS = [name for name, entry in read_manifest().items()
               if entry.get("task", "classify") == "classify"]  # fmt: skip
EXACT = 1e-4  # of a logit, both in single precision
SIDE = 64  # pixels


def pictures(count: int, channels: int, side: int) -> np.ndarray:
    """Noise of two scales, uint8 (count, channels, side, side)."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 200, (count, channels, 8, 8)).repeat(side // 7, 2).repeat(side // 7, 3)
    fine = rng.integers(0, 56, (count, channels, side, side))
    return (coarse[:, :, :side, :side] + fine).astype(np.uint8)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_published_classifier_gives_the_logits_of_its_graph(name):
    stem, info = locate(name)
    images = pictures(4, info.channels, info.size)
    with torch.inference_mode():
        found = load_network(stem, info)(torch.from_numpy(images)).numpy()
    assert np.abs(found - OpenVinoNetwork(stem, precision="fp32")(images)).max() < EXACT


def test_the_published_parser_gives_the_probabilities_of_its_graph():
    stem, info = locate("parser")
    images = pictures(1, 3, 2 * SIDE)
    network = filled(Parser(info.network), stem, info)
    with torch.inference_mode():
        found = SoftmaxParser(network)(torch.from_numpy(images)).numpy()
    assert network.head.bias.shape == (12,)  # that of other people too, whom the graph leaves out
    assert np.abs(found - TorchNetwork(stem)(images)).max() < EXACT


@pytest.mark.parametrize("name", ["yolo", "yolo-people", "yolo-photo"])
def test_a_published_detector_gives_the_boxes_of_its_graph(name):
    yolo = pytest.importorskip("training.detection.yolo", reason="ultralytics is not installed")
    stem, info = locate(name)
    images = pictures(1, 3, SIDE).astype(np.float32) / 255
    with torch.inference_mode():
        found = yolo.load_network(stem, info)(torch.from_numpy(images)).numpy()
    assert np.abs(found - TorchNetwork(stem)(images)).max() < 1e-2 * SIDE / 100  # pixels


@pytest.fixture
def trained():
    """A network whose statistics are not those of a new one, and its metadata."""
    info = replace(read_info(WEIGHTS_DIR / "deep.onnx"), name="new")
    torch.manual_seed(0)
    network = MODELS["deep"](info.shape, dropout=0.0)
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point() and tensor.dim() == 1:
            tensor.uniform_(0.5, 2.0) if name.endswith("var") else tensor.normal_(0.5, 0.5)
    return network.half().float().eval(), info


@pytest.mark.parametrize("half", [True, False])
def test_what_was_exported_is_read_back(trained, tmp_path, half):
    network, info = trained
    path = tmp_path / "new.onnx"
    write_logits_onnx(path, network, info, half=half)
    graph = onnx.load(path).graph.SerializeToString()
    add_tensors(path, network, half=half)
    found, expected = read_onnx_tensors(path), network.state_dict()
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.allclose(found[name].float(), tensor.float(), rtol=2e-3, atol=1e-2), name
    assert onnx.load(path).graph.SerializeToString() == graph  # which runtimes read
    plain = sum(one.numel() for one in expected.values()) * (2 if half else 4)
    assert path.stat().st_size < 1.1 * plain  # no tensor is there twice


def test_statistics_stay_for_training(trained, tmp_path):
    """In training, batch normalisations divide by the batch's deviation: scales must be theirs."""
    network, info = trained
    path = tmp_path / "new.onnx"
    write_logits_onnx(path, network, info, half=True)
    add_tensors(path, network, half=True)
    again = MODELS["deep"](info.shape, dropout=0.0)
    again.load_state_dict(read_onnx_tensors(path))
    images = torch.from_numpy(pictures(4, info.channels, info.size))
    with torch.inference_mode():
        before, after = network.train()(images), again.train()(images)
    assert torch.allclose(before, after, atol=0.02 * float(before.abs().max()))


def test_a_channel_without_gain_is_exact(trained, tmp_path):
    network, info = trained
    gain = next(one for name, one in network.named_parameters() if name == "5.body.1.weight")
    with torch.no_grad():
        gain[0] = 0
    path = tmp_path / "new.onnx"
    write_logits_onnx(path, network, info, half=True)
    add_tensors(path, network, half=True)
    again = MODELS["deep"](info.shape, dropout=0.0).eval()
    again.load_state_dict(read_onnx_tensors(path))
    images = pictures(4, info.channels, info.size)
    with torch.inference_mode():
        found = again(torch.from_numpy(images)).numpy()
    assert np.abs(found - TorchNetwork(tmp_path / "new")(images)).max() < EXACT


def test_what_holds_no_tensors_is_named(trained, tmp_path):
    network, info = trained
    write_logits_onnx(tmp_path / "new.onnx", network, info, half=True)
    (tmp_path / "odd.onnx").write_bytes(b"no graph")
    for name, reason in (("new", "holds no tensors to train from"), ("odd", ""), ("none", "")):
        with pytest.raises(UsageError, match=rf"{name}.onnx is no weight file.*{reason}"):
            read_tensors(tmp_path / f"{name}.onnx")
