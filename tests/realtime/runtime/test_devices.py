"""Devices: their names, the choice of an engine for each, and the advice where one is missing."""

import pytest

from preprocessing.errors import DeviceError
from realtime.runtime import devices
from realtime.runtime.devices import choose, openvino_name, read_device, require
from training.inference import openvino_network


@pytest.fixture
def machine(monkeypatch):
    """A machine whose engines find the devices that the test names."""

    def having(**lists):
        monkeypatch.setattr(devices, "_installed", lambda engine: engine in lists)
        for engine in devices.LISTS:
            found = lists.get(engine, [])
            monkeypatch.setitem(devices.LISTS, engine, lambda found=found: found)

    return having


@pytest.mark.parametrize("text", ["auto", "cpu", "gpu", "cuda", "cuda:1", "intel-gpu:0", "npu"])
def test_names_of_devices(text):
    assert read_device(text) == text


@pytest.mark.parametrize("text", ["", "cpu:1", "cuda:", "cuda:x", "gpu0", "GPU"])
def test_names_of_none(text):
    with pytest.raises(ValueError):
        read_device(text)


ALL = {"openvino": ["cpu", "intel-gpu"], "onnxruntime": ["cuda", "cpu"], "torch": ["cuda", "cpu"]}


@pytest.mark.parametrize(
    ("have", "engine", "device", "chosen"),
    [
        (ALL, "openvino", "auto", ("openvino", "cpu")),
        (ALL, "auto", "cpu", ("openvino", "cpu")),
        (ALL, "torch", "cpu", ("torch", "cpu")),
        (ALL, "onnxruntime", "cpu", ("onnxruntime", "cpu")),
        (ALL, "auto", "cuda:1", ("torch", "cuda:1")),
        (ALL, "auto", "tensorrt", ("onnxruntime", "tensorrt")),
        (ALL, "auto", "gpu", ("torch", "cuda")),
        (ALL, "openvino", "gpu", ("openvino", "intel-gpu")),
        ({"onnxruntime": ["cuda", "cpu"]}, "auto", "cuda", ("onnxruntime", "cuda")),
        ({"openvino": ["cpu"]}, "auto", "cuda", ("torch", "cuda")),
        ({"openvino": ["cpu", "intel-gpu:0", "intel-gpu:1"]}, "auto", "gpu",
         ("openvino", "intel-gpu")),
    ],
)  # fmt: skip
def test_choice_of_engine_and_device(machine, have, engine, device, chosen):
    machine(**have)
    assert choose(engine, device) == chosen


@pytest.mark.parametrize(
    ("engine", "device", "words"),
    [
        ("openvino", "cuda", "engine openvino does not run on cuda: use --engine torch or onnx"),
        ("torch", "npu", "use --engine openvino"),
        ("auto", "gpu", "no GPU here"),
    ],
)
def test_choices_that_contradict_each_other(machine, engine, device, words):
    machine(openvino=["cpu"], onnxruntime=["cpu"], torch=["cpu"])
    with pytest.raises(DeviceError, match=words):
        choose(engine, device)


@pytest.mark.parametrize(
    ("have", "engine", "device", "words"),
    [
        ({}, "torch", "cuda", "`pip install torch`"),
        ({}, "onnxruntime", "cpu", "`pip install onnxruntime`"),
        ({}, "onnxruntime", "cuda:1", "`pip install onnxruntime-gpu`"),
        ({"onnxruntime": ["cpu"]}, "onnxruntime", "directml", "onnxruntime-directml` brings"),
        ({"openvino": ["cpu"]}, "openvino", "intel-gpu", r"intel-opencl-icd.*: use --device cpu"),
        ({"openvino": ["cpu"]}, "openvino", "npu", "NPU driver"),
        ({"torch": ["cuda", "cuda:0", "cpu"]}, "torch", "cuda:1", "no cuda:1 device here"),
    ],
)
def test_advice_where_a_device_is_missing(machine, have, engine, device, words):
    machine(**have)
    with pytest.raises(DeviceError, match=words) as caught:
        require(engine, device)
    assert "\n" not in str(caught.value) and caught.value.status == 7


def test_openvino_s_names(monkeypatch):
    listed = ["CPU", "GPU.0", "GPU.1", "NPU"]
    monkeypatch.setattr(openvino_network, "openvino_devices", lambda: listed)
    have = ["cpu", "intel-gpu:0", "intel-gpu:1", "npu", "intel-auto"]
    assert devices.devices_of("openvino") == have
    assert [openvino_name(one) for one in have] == [*listed, "AUTO"]
    require("openvino", "intel-gpu")
