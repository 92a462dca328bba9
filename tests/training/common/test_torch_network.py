"""Published networks on torch: half precision, and one network for inputs of several sizes."""

import cv2
import make
import numpy as np
import pytest
import torch

from preprocessing.errors import DeviceError, WeightsError
from training.common import torch_network
from training.common.torch_network import TorchNetwork
from training.inference.networks import Layout
from training.inference.openvino_network import OpenVinoNetwork
from training.inference.probabilities import softmax
from training.inference.weights import locate


@pytest.mark.parametrize(
    ("name", "layout", "side"),
    [("deep", Layout.AS_FILED, 28), ("parser", Layout.EACH_SHAPE, 64),
     ("yolo-people", Layout.FRAMES, 64)],
)  # fmt: skip
def test_half_precision_as_on_a_gpu(monkeypatch, name, layout, side):
    monkeypatch.setattr(torch_network, "HALF", ("cpu",))
    stem, info = locate(name)
    picture = cv2.resize(make.scene(), (side, side))[None, ..., : info.channels]
    given = picture if layout is Layout.FRAMES else picture.transpose(0, 3, 1, 2).copy()
    expected = OpenVinoNetwork(stem, layout=layout, precise=True)(given)
    network = TorchNetwork(stem, layout=layout, threads=1)
    assert network._constants and network._float is torch.float16
    found = network(given)
    assert found.dtype == np.float32
    if name == "deep":
        expected, found = softmax(expected), softmax(found)
    scale = np.where(np.abs(expected) > 1, side, 1)  # boxes are in pixels
    assert (np.abs(expected - found) / scale).max() < 1e-2
    assert name != "yolo-people" or np.abs(expected - found)[:, :4].max() < 0.25


def test_one_network_takes_pictures_of_several_sizes_in_turn():
    stem, network = (
        locate("yolo")[0],
        TorchNetwork(locate("yolo")[0], layout=Layout.FRAMES, threads=1),
    )
    reference = OpenVinoNetwork(stem, layout=Layout.FRAMES, precise=True)
    for width, height in ((96, 64), (64, 96), (96, 64)):
        frame = cv2.resize(make.scene(), (width, height))[None]
        assert np.abs(network(frame) - reference(frame)).max() < 1e-2


def test_a_gpu_without_memory_ends_in_one_line(monkeypatch):
    def fail(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    network = TorchNetwork(locate("deep")[0])
    monkeypatch.setattr(network, "_run", fail)
    with pytest.raises(DeviceError, match=r"not enough memory for .*deep\.onnx"):
        network(np.zeros((1, 1, 28, 28), np.uint8))


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "photo.onnx").write_bytes(b"no network")
    with pytest.raises(WeightsError, match=r"photo\.onnx is damaged"):
        TorchNetwork(tmp_path / "photo")
