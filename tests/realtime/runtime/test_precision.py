"""The choice of a precision, by stand-ins of networks that take as long as the test says."""

import json

import numpy as np
import pytest

from preprocessing.errors import DeviceError
from realtime.analysis import engines
from realtime.analysis.engines import EngineOptions, EngineRow, loader
from realtime.runtime import precision
from realtime.runtime.precision import Processor, chosen_precision, known_precision
from training.inference.networks import Layout

CPU = Processor("openvino", "cpu")


class Machine:
    """Networks that take seconds by precision, a clock, and what was loaded."""

    def __init__(self, **seconds):
        self._seconds, self._now, self.loaded = seconds, 0.0, []

    def clock(self):
        return self._now

    def load(self, name):
        self.loaded.append(name)
        machine, seconds = self, self._seconds[name]

        class Network:
            input = (-1, 3, -1, -1)

            def __call__(self, array):
                assert array.dtype == np.uint8 and array.shape == machine.shape
                machine._now += seconds

        return Network()

    def choose(self, path, layout=Layout.EACH_SHAPE, processor=CPU):
        self.shape = (1, 256, 256, 3) if layout is Layout.FRAMES else (1, 3, 256, 256)
        return chosen_precision(processor, path, layout, self.load, clock=self.clock)


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A network's file on a machine with units for bf16 and an empty cache."""
    monkeypatch.setattr(precision, "openvino_name", lambda device: device.upper())
    monkeypatch.setattr(precision, "cache_folder", lambda: str(tmp_path))
    monkeypatch.setattr(precision, "_cpu", lambda: "a CPU with bf16")
    having(monkeypatch, "fp32", "bf16")
    (tmp_path / "net.onnx").write_bytes(b"weights")
    return tmp_path / "net.onnx"


def having(monkeypatch, *names):
    from training.inference import openvino_network

    monkeypatch.setattr(openvino_network, "openvino_precisions", lambda device: names)


@pytest.mark.parametrize("layout", Layout)
@pytest.mark.parametrize(
    ("single", "lower", "chosen"),
    [(8.0, 3.0, "bf16"), (9.0, 8.0, "bf16"), (8.5, 8.0, "fp32"), (3.0, 8.0, "fp32")],
)
def test_the_lower_precision_must_save_a_tenth(path, caplog, layout, single, lower, chosen):
    caplog.set_level("INFO")
    assert Machine(fp32=single, bf16=lower).choose(path, layout) == chosen
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"net computes in {chosen}: {1000 * single:.2f} ms in fp32, ")


def test_a_network_is_measured_once_on_a_machine(path, monkeypatch):
    assert known_precision(CPU, path) == ""
    first, later = Machine(fp32=2.0, bf16=1.0), Machine(fp32=1.0, bf16=2.0)
    assert first.choose(path) == "bf16" and first.loaded == ["fp32", "bf16"]
    assert later.choose(path) == "bf16" == known_precision(CPU, path) and not later.loaded
    assert later.choose(path, processor=Processor("openvino", "cpu", threads=2)) == "fp32"
    path.write_bytes(b"retrained")
    assert later.choose(path) == "fp32"
    monkeypatch.setattr(precision, "_cpu", lambda: "another CPU")
    assert first.choose(path) == "bf16"
    assert len(json.loads((path.parent / precision.FILE).read_text())) == 4


@pytest.mark.parametrize("text", ["", "[]", "{", '{"key": 1}'])
def test_a_damaged_list_of_choices_is_made_anew(path, text):
    (path.parent / precision.FILE).write_text(text)
    assert Machine(fp32=2.0, bf16=1.0).choose(path) == "bf16" == known_precision(CPU, path)


def test_a_choice_is_made_without_a_cache(path, monkeypatch):
    monkeypatch.setattr(precision, "cache_folder", lambda: "")
    assert Machine(fp32=2.0, bf16=1.0).choose(path) == "bf16"


@pytest.mark.parametrize(
    ("names", "processor"),
    [(("fp32",), CPU), (("fp16",), Processor("openvino", "npu")),
     (("fp32",), Processor("onnxruntime", "cuda")), ((), Processor("onnxruntime", "tensorrt"))],
)  # fmt: skip
def test_without_a_choice_nothing_is_measured(path, monkeypatch, names, processor):
    having(monkeypatch, *names)
    machine = Machine()
    assert machine.choose(path, processor=processor) == "" and not machine.loaded


def test_a_precision_without_units_is_refused(path):
    for name in ("auto", "", "fp32", "bf16"):
        CPU.require(name)
    with pytest.raises(DeviceError, match="no units for fp16 on cpu, but fp32, bf16: use --prec"):
        CPU.require("fp16")
    with pytest.raises(DeviceError, match="no units for bf16 on cpu, but fp32"):
        loader(EngineOptions(engine="onnxruntime", precision="bf16"))


@pytest.mark.parametrize(
    ("given", "network", "pose"), [("auto", "bf16", ""), ("fp32", "fp32", "fp32")]
)
def test_networks_are_loaded_in_the_precision(path, monkeypatch, given, network, pose):
    """Those of .tflite files in the engine's own where it is automatic."""
    machine = Machine(fp32=2.0, bf16=0.0)
    machine.shape = (1, 3, 256, 256)
    monkeypatch.setattr(engines, "chosen_precision",
                        lambda *args: chosen_precision(*args, clock=machine.clock))  # fmt: skip

    def load(options):
        def at(stem, **rest):
            return machine.load(options.precision) if "features" not in rest else options.precision

        return at

    row = EngineRow(load, kinds=(".onnx", ".tflite"))
    monkeypatch.setitem(engines.ENGINES, "openvino", row)
    loaded = loader(EngineOptions(precision=given))
    assert loaded(path.with_suffix("")) == network
    assert loaded(path.with_suffix(""), kind=".tflite") == pose
