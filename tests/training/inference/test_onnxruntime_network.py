"""ONNX Runtime: its providers by stand-ins; `tests/realtime/analysis/test_engines.py` runs it."""

import sys
from types import SimpleNamespace

import pytest

from preprocessing.errors import DeviceError, WeightsError
from training.inference.onnxruntime_network import OnnxRuntimeNetwork, onnxruntime_devices

CUDA, TENSORRT = "CUDAExecutionProvider", "TensorrtExecutionProvider"
DIRECTML, CPU = "DmlExecutionProvider", "CPUExecutionProvider"


class Options(SimpleNamespace):
    enable_mem_pattern = True

    def add_session_config_entry(self, key, value):
        self.spinning = value


@pytest.fixture
def runtime(monkeypatch):
    """A stand-in of the package, which notes the last session; `works` may be shortened."""
    have = [TENSORRT, CUDA, DIRECTML, CPU]

    class Session:
        def __init__(self, path, options, providers):
            module.last = path, options, providers
            self._providers = [name for name, _ in providers if name in module.works]

        def get_providers(self):
            return self._providers

        def get_inputs(self):
            return [SimpleNamespace(name="images", shape=["batch", 3, 8, 8])]

        def get_outputs(self):
            return [SimpleNamespace(name="logits", shape=["batch", 4])]

    module = SimpleNamespace(
        InferenceSession=Session,
        SessionOptions=Options,
        works=have,
        get_available_providers=lambda: have,
        __spec__=object(),
    )
    monkeypatch.setitem(sys.modules, "onnxruntime", module)
    return module


def test_devices(runtime):
    assert onnxruntime_devices() == ["tensorrt", "cuda", "directml", "cpu"]


@pytest.mark.parametrize(
    ("device", "providers"),
    [
        ("cpu", [(CPU, {})]),
        ("cuda:1", [(CUDA, {"device_id": "1"}), (CPU, {})]),
        ("directml", [(DIRECTML, {"device_id": "0"}), (CPU, {})]),
    ],
)
def test_providers(runtime, tmp_path, device, providers):
    network = OnnxRuntimeNetwork(tmp_path / "net", device=device, threads=2)
    path, options, given = runtime.last
    assert (path, given) == (str(tmp_path / "net.onnx"), providers)
    assert (options.intra_op_num_threads, options.spinning) == (2, "0")
    assert options.enable_mem_pattern is (device != "directml")
    assert (network.input, network.output) == ((-1, 3, 8, 8), (-1, 4))


def test_tensorrt_keeps_its_compiled_networks(runtime, tmp_path):
    OnnxRuntimeNetwork(tmp_path / "net", device="tensorrt", cache="/cache")
    (first, options), *others = runtime.last[2]
    assert first == TENSORRT and [name for name, _ in others] == [CUDA, CPU]
    assert options["trt_engine_cache_enable"] == options["trt_fp16_enable"] == "True"
    assert options["trt_engine_cache_path"] == "/cache"


@pytest.mark.parametrize(("precision", "half", "bf16"), [
    ("fp16", "True", "False"), ("bf16", "False", "True"), ("fp32", "False", "False"),
])  # fmt: skip
def test_tensorrt_computes_in_the_precision_that_is_chosen(
    runtime, tmp_path, precision, half, bf16
):
    OnnxRuntimeNetwork(tmp_path / "net", device="tensorrt", precision=precision)
    options = runtime.last[2][0][1]
    assert (options["trt_fp16_enable"], options["trt_bf16_enable"]) == (half, bf16)


def test_a_provider_whose_libraries_are_missing_is_an_error_not_a_fallback(runtime, tmp_path):
    runtime.works = [CPU]
    with pytest.raises(DeviceError, match="onnxruntime cannot use cuda: its driver or libraries"):
        OnnxRuntimeNetwork(tmp_path / "net", device="cuda")


def test_a_provider_that_is_not_there(runtime, tmp_path):
    with pytest.raises(DeviceError, match="`pip install onnxruntime-migraphx` brings it"):
        OnnxRuntimeNetwork(tmp_path / "net", device="migraphx")


def test_a_damaged_file_is_named(tmp_path):
    pytest.importorskip("onnxruntime")
    (tmp_path / "photo.onnx").write_bytes(b"no network")
    with pytest.raises(WeightsError, match=r"photo\.onnx is damaged"):
        OnnxRuntimeNetwork(tmp_path / "photo")
