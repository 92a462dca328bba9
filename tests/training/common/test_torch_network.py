"""Published networks on torch: half precision, and one network for inputs of several sizes."""

from functools import partial

import cv2
import make
import numpy as np
import pytest
import torch
from torch._subclasses import FakeTensorMode, fake_tensor
from torch.utils._python_dispatch import _disable_current_modes

from preprocessing.errors import DeviceError, WeightsError
from training.common import onnx_operators, torch_network
from training.common.torch_graphs import Recording, Replayed
from training.common.torch_network import TorchNetwork, torch_precisions
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
    expected = OpenVinoNetwork(stem, layout=layout, precision="fp32")(given)
    network = TorchNetwork(stem, layout=layout, threads=1)
    assert network._constants and network._float is torch.float16
    found = network(given)
    assert found.dtype == np.float32
    if name == "deep":
        expected, found = softmax(expected), softmax(found)
    scale = np.where(np.abs(expected) > 1, side, 1)  # boxes are in pixels
    assert (np.abs(expected - found) / scale).max() < 1e-2
    assert name != "yolo-people" or np.abs(expected - found)[:, :4].max() < 0.25


NETWORKS = ("baseline", "deep", "efficientnet", "parser", "photo", "yolo")  # one of each kind


def rerun(function, given):
    """Stands in for a card's recording."""
    own = given.clone()
    outputs = [one.clone() for one in function(own)]

    def replay():
        for place, values in zip(outputs, function(own), strict=True):
            place.copy_(values)

    return Recording(own, outputs, replay)


def given(info, count):
    """Random input of a network, and its layout."""
    layout = {"detect": Layout.FRAMES, "parse": Layout.EACH_SHAPE}.get(info.task, Layout.AS_FILED)
    sides = (64, 96) if info.task in ("detect", "parse") else (info.size, info.size)
    shape = (*sides, 3) if layout is Layout.FRAMES else (info.channels, *sides)
    return np.random.default_rng(count).integers(0, 256, (count, *shape), np.uint8), layout


@pytest.mark.parametrize("name", NETWORKS)
def test_recorded_networks_give_the_same_answers(monkeypatch, name):
    stem, info = locate(name)
    batches, layout = [given(info, count)[0] for count in (1, 2, 1, 2, 1, 2)], given(info, 1)[1]
    plain = TorchNetwork(stem, layout=layout, threads=1)
    expected = [plain(batch) for batch in batches]
    monkeypatch.setattr(torch_network, "REPLAYING", ("cpu",))
    monkeypatch.setattr(torch_network, "Replayed", partial(Replayed, record=rerun))
    network = TorchNetwork(stem, layout=layout, threads=1)
    found = [network(batch) for batch in batches]
    assert all(network._replayed[1]._recordings.values())
    assert all(np.abs(one - other).max() < 1e-5 for one, other in zip(expected, found, strict=True))


@pytest.mark.parametrize("name", NETWORKS)
def test_what_a_network_computes_lies_on_its_card(monkeypatch, name):
    """By torch's tensors that know their device and have no numbers: no card is needed."""
    monkeypatch.setattr(fake_tensor, "CONSTANT_NUMEL_LIMIT", 10**6)  # of shapes that are kept

    def read(tensor):
        with _disable_current_modes():
            return getattr(tensor, "constant", tensor).reshape(-1).tolist()

    monkeypatch.setattr(onnx_operators, "values", read)
    batch, layout = given(locate(name)[1], 2)
    network = TorchNetwork(locate(name)[0], layout=layout, threads=1)
    network._device, network._float = torch.device("cuda"), torch.float16
    scales = {one for node in network._nodes if node.name == "Resize" for one in node.inputs[1:]}
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        for key, value in network._constants.items():
            if value.is_floating_point() or key in network._places:
                moved = mode.from_tensor(value).to("cuda")
            else:
                moved = torch.tensor(read(value), dtype=value.dtype).reshape(value.shape)
            network._constants[key] = value if key in scales else moved
        for _ in range(2):  # the second time shapes are known
            pixels = torch.empty(batch.shape, dtype=torch.uint8, device="cuda")
            (found,) = network._computed(pixels, network._outputs[:1])
    assert found.device.type == "cuda" and found.shape[0] == 2


def test_one_network_takes_pictures_of_several_sizes_in_turn():
    stem, network = (
        locate("yolo")[0],
        TorchNetwork(locate("yolo")[0], layout=Layout.FRAMES, threads=1),
    )
    reference = OpenVinoNetwork(stem, layout=Layout.FRAMES, precision="fp32")
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


def test_a_lower_precision_gives_about_the_same():
    stem, info = locate("deep")
    images = np.random.default_rng(0).integers(0, 256, (2, 1, info.size, info.size), np.uint8)
    single, lower = (TorchNetwork(stem, precision=one)(images) for one in ("fp32", "bf16"))
    assert 0 < np.abs(single - lower).max() < 0.3
    assert torch_precisions("cpu")[0] == "fp32"
