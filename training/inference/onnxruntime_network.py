"""A published network file on ONNX Runtime: the same .onnx files, on the devices of its providers.

The package is optional: `onnxruntime` brings the CPU, `onnxruntime-gpu` CUDA and TensorRT,
`onnxruntime-directml` DirectML, and AMD's builds ROCm and MIGraphX.
"""

import importlib.util
from pathlib import Path
from typing import Any, TypedDict, Unpack

import numpy as np

from preprocessing.errors import DeviceError
from training.inference.networks import (
    Layout,
    NetworkFile,
    feature_names,
    load_error,
    memory_errors,
    planes_of,
    read_onnx,
)

CPU = "CPUExecutionProvider"
PROVIDERS = {  # by device: ONNX Runtime's name of its provider, and the package that brings it
    "tensorrt": ("TensorrtExecutionProvider", "onnxruntime-gpu tensorrt"),
    "cuda": ("CUDAExecutionProvider", "onnxruntime-gpu"),
    "migraphx": ("MIGraphXExecutionProvider", "onnxruntime-migraphx"),
    "rocm": ("ROCMExecutionProvider", "onnxruntime-rocm"),
    "directml": ("DmlExecutionProvider", "onnxruntime-directml"),
    "coreml": ("CoreMLExecutionProvider", "onnxruntime"),
    "cpu": (CPU, "onnxruntime"),
}
NUMBERED = ("tensorrt", "cuda", "migraphx", "rocm", "directml")  # of which there may be several
NVIDIA = ("cuda", "tensorrt")
MISSING = "engine onnxruntime needs onnxruntime: `pip install onnxruntime`"


class OnnxRuntimeOptions(TypedDict, total=False):
    """How a network runs.

    Attributes:
        device: a name of PROVIDERS, with the number of the device after a colon where there are
            several, such as cuda:1.
        threads: CPU threads of one request; 0 for all cores.
        precision: of TensorRT, fp32, bf16 or, as by default, fp16; the others have none to choose.
        cache: folder for compiled networks; "" for none.
    """

    device: str
    threads: int
    precision: str
    cache: str


def onnxruntime_devices() -> list[str]:
    """The names of PROVIDERS that are there, the fastest first; none without the package."""
    if importlib.util.find_spec("onnxruntime") is None:
        return []
    import onnxruntime

    have = onnxruntime.get_available_providers()
    return [device for device, (provider, _) in PROVIDERS.items() if provider in have]


class OnnxRuntimeNetwork(NetworkFile):
    """A network with one input; any number of threads may call it at the same time.

    Args:
        stem: path of the file without its suffix; kind: the suffix.
        layout: FRAMES converts pixels on the CPU.
        options: see `OnnxRuntimeOptions`.

    Attributes:
        input, output: the file's shapes, -1 for a dynamic axis.

    Raises:
        WeightsError: the file is damaged.
        DeviceError: the package or device is not there, or there is not enough memory.
    """

    def __init__(
        self,
        stem: Path,
        *,
        kind: str = ".onnx",
        layout: Layout = Layout.AS_FILED,
        features: bool = False,
        **options: Unpack[OnnxRuntimeOptions],
    ):
        super().__init__(stem.with_suffix(kind))
        runtime, self._layout = _runtime(), layout
        device = options.get("device", "cpu")
        providers = _providers(device, options)
        if device.startswith(NVIDIA) and hasattr(runtime, "preload_dlls"):
            runtime.preload_dlls()  # from NVIDIA's wheels, or torch's
        try:
            self._session = runtime.InferenceSession(
                _with_features(self._path) if features else str(self._path),
                _session_options(runtime, device, options.get("threads", 0)),
                providers=providers,
            )
        except DeviceError:
            raise
        # The package's errors have no base but Exception, or RuntimeError.
        except Exception as error:
            raise load_error(self._path, error) from error
        if self._session.get_providers()[0] != providers[0][0]:  # it only logs why
            fix = (
                " (`pip install onnxruntime-gpu[cuda,cudnn]`)" if device.startswith(NVIDIA) else ""
            )
            raise DeviceError(f"onnxruntime cannot use {device}: its driver or libraries{fix} are "
                              "not there; use --device cpu")  # fmt: skip
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        self._name = inputs[0].name
        self.input, self.output = (
            tuple(side if isinstance(side, int) else -1 for side in ports[0].shape)
            for ports in (inputs, outputs)
        )

    def __call__(self, array: np.ndarray) -> np.ndarray:
        """The first output for an input."""
        return self.outputs_for(array)[0]

    def outputs_for(self, array: np.ndarray) -> list[np.ndarray]:
        """All outputs for an input, in the file's order."""
        given = planes_of(array) if self._layout is Layout.FRAMES else array
        with memory_errors(self._path):
            if self.input[0] != 1 or len(given) == 1:
                return self._session.run(None, {self._name: given})
            each = [self._session.run(None, {self._name: one[None]}) for one in given]
        return [np.concatenate(parts) for parts in zip(*each, strict=True)]


def _runtime() -> Any:
    """The module onnxruntime, which has no type information.

    Raises:
        DeviceError: it is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise DeviceError(MISSING) from error
    return onnxruntime


def _session_options(runtime: Any, device: str, threads: int) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3  # errors
    # Threads that wait in a loop take the cores from decoding and drawing.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if device.startswith("directml"):
        options.enable_mem_pattern = False  # which DirectML does not know
    return options


def _providers(device: str, options: OnnxRuntimeOptions) -> list[tuple[str, dict[str, str]]]:
    """The providers in the order of preference, with their options.

    Raises:
        DeviceError: the device's is not there.
    """
    name, _, number = device.partition(":")
    if name not in onnxruntime_devices():
        package = PROVIDERS.get(name, (CPU, "onnxruntime"))[1]
        have = ", ".join(onnxruntime_devices())
        raise DeviceError(f"engine onnxruntime has no {name} here, but {have}: `pip install "
                          f"{package}` brings it, or use --device cpu")  # fmt: skip
    own = {"device_id": number or "0"} if name in NUMBERED else {}
    found = [(PROVIDERS[name][0], own | _tensorrt(options) if name == "tensorrt" else own)]
    if name == "tensorrt":  # what it cannot run
        found.append((PROVIDERS["cuda"][0], own))
    return found if name == "cpu" else [*found, (CPU, {})]


def _tensorrt(options: OnnxRuntimeOptions) -> dict[str, str]:
    """Half precision, and engines kept: one takes minutes to build."""
    precision = options.get("precision") or "fp16"
    found = {f"trt_{one}_enable": str(precision == one) for one in ("fp16", "bf16")}
    if cache := options.get("cache"):
        found |= {"trt_engine_cache_enable": "True", "trt_engine_cache_path": cache,
                  "trt_timing_cache_enable": "True", "trt_timing_cache_path": cache}  # fmt: skip
    return found


def _with_features(path: Path) -> bytes:
    """A file's content with further outputs: see `Loader`.

    Raises:
        DeviceError: the package onnx is not installed.
    """
    model = read_onnx(path)
    model.graph.output.extend(
        type(model.graph.output[0])(name=name) for name in feature_names(model)
    )
    return model.SerializeToString()
