"""Devices: the names that --device takes, which engines run on each, and the choice of both.

Imports nothing heavy, so that --help answers at once: an engine's package is imported when its
devices are asked for.
"""

import importlib.util
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from preprocessing.errors import DeviceError

AUTO, CPU, GPU = "auto", "cpu", "gpu"
SINGLE, INT8 = "fp32", "int8"
PRECISIONS = (AUTO, SINGLE, "bf16", "fp16", INT8)  # that --precision takes
# By device: the engines that run on it, the preferred one first.
DEVICES: dict[str, tuple[str, ...]] = {
    "cpu": ("openvino", "onnxruntime", "torch"),
    "cuda": ("torch", "onnxruntime"),
    "tensorrt": ("onnxruntime",),
    "mps": ("torch",),
    "coreml": ("onnxruntime",),
    "directml": ("onnxruntime",),
    "rocm": ("onnxruntime",),
    "migraphx": ("onnxruntime",),
    "intel-gpu": ("openvino",),
    "npu": ("openvino",),
    "intel-auto": ("openvino",),
}
NUMBERED = ("cuda", "tensorrt", "directml", "rocm", "migraphx", "intel-gpu")
GPUS = ("cuda", "mps", "migraphx", "rocm", "directml", "intel-gpu", "coreml")  # for "gpu", in order
OPENVINO_NAMES = {"cpu": "CPU", "intel-gpu": "GPU", "npu": "NPU", "intel-auto": "AUTO"}
SAMPLE = ", ".join((AUTO, CPU, GPU, *list(DEVICES)[1:]))
PLUGINS = {
    "intel-gpu": "Intel's GPU driver (`apt-get install intel-opencl-icd`)",
    "npu": "Intel's NPU driver (github.com/intel/linux-npu-driver)",
    "intel-auto": "Intel's GPU or NPU driver",
}


def read_device(text: str) -> str:
    """The device of a flag's value.

    Raises:
        ValueError: there is none of that name.
    """
    name, colon, number = text.partition(":")
    if colon and not (name in NUMBERED and number.isdecimal()):
        raise ValueError(text)
    if name not in (AUTO, GPU, *DEVICES):
        raise ValueError(text)
    return text


def choose(engine: str, device: str) -> tuple[str, str]:
    """The engine and device to use; "auto" is a GPU that torch supports, else OpenVINO on the CPU.

    That a chosen device is there is found when a network is loaded.

    Raises:
        DeviceError: engine and device contradict each other, or there is no GPU.
    """
    if device == AUTO:
        device = _best_device(engine)
    elif device == GPU:
        engine, device = _gpu(engine)
    able = DEVICES[device.partition(":")[0]]
    if engine == AUTO:
        engine = next((one for one in able if _installed(one)), able[0])
    if engine not in able:
        raise DeviceError(f"engine {engine} does not run on {device}: use --engine "
                          f"{' or '.join(able)}, or --device cpu")  # fmt: skip
    return engine, device


def devices_of(engine: str) -> list[str]:
    """The devices that an engine finds here, best first; none if its package lacks or is broken."""
    try:
        return LISTS[engine]() if _installed(engine) else []
    except ImportError:
        return []


def require(engine: str, device: str) -> None:
    """Check that an engine finds a device here.

    Raises:
        DeviceError: it does not, or is not installed.
    """
    if not _installed(engine):
        package = _provider_package(device) if engine == "onnxruntime" else engine
        raise DeviceError(f"engine {engine} needs {package}: `pip install {package}`")
    if device == CPU:  # which all have; to list the others takes a while
        return
    have = devices_of(engine)
    if device not in have and f"{device}:0" not in have and not _numbers_unknown(engine, device):
        raise DeviceError(f"no {device} device here for engine {engine}{_remedy(engine, device)}: "
                          f"use --device {' or '.join(have)}")  # fmt: skip


def openvino_name(device: str) -> str:
    """OpenVINO's name of a device, e.g. GPU.1."""
    name, colon, number = device.partition(":")
    return OPENVINO_NAMES[name] + colon.replace(":", ".") + number


def _numbers_unknown(engine: str, device: str) -> bool:
    """True for a numbered device of a kind that is there, where an engine does not count them."""
    name = device.partition(":")[0]
    return engine == "onnxruntime" and name in devices_of(engine)


def _remedy(engine: str, device: str) -> str:
    """The words that name what brings a device; "" where only the machine could."""
    name = device.partition(":")[0]
    if engine == "openvino":
        return f", which {PLUGINS[name]} brings" if name in PLUGINS else ""
    if engine == "onnxruntime":
        return f", which `pip install {_provider_package(device)}` brings"
    return ", which a GPU, its driver and a build of torch for it bring (pytorch.org)"


def _provider_package(device: str) -> str:
    """The package of ONNX Runtime that brings a device."""
    from training.inference.onnxruntime_network import PROVIDERS

    return PROVIDERS[device.partition(":")[0]][1]


def _installed(engine: str) -> bool:
    return importlib.util.find_spec(engine) is not None


def _best_device(engine: str) -> str:
    """A GPU that torch or ONNX Runtime supports, else the CPU; imports them if one is likely."""
    likely = shutil.which("nvidia-smi") or Path("/dev/kfd").exists() or sys.platform == "darwin"
    if not likely or engine == "openvino":
        return CPU
    for one in ("torch", "onnxruntime") if engine == AUTO else (engine,):
        for device in devices_of(one):
            if device in ("cuda", "mps", "migraphx", "rocm"):
                return device
    return CPU


def _gpu(engine: str) -> tuple[str, str]:
    """The first GPU that an engine finds.

    Raises:
        DeviceError: there is none.
    """
    engines = tuple(LISTS) if engine == AUTO else (engine,)
    have = {one: [name.partition(":")[0] for name in devices_of(one)] for one in engines}
    for device in GPUS:
        for one in DEVICES[device]:
            if device in have.get(one, ()):
                return one, device
    raise DeviceError("no GPU here that an installed engine supports: `pip install torch` or "
                      "`pip install onnxruntime-gpu` for NVIDIA, Intel's GPU driver for OpenVINO, "
                      "or use --device cpu")  # fmt: skip


def _openvino_devices() -> list[str]:
    from training.inference.openvino_network import openvino_devices

    names = {theirs: ours for ours, theirs in OPENVINO_NAMES.items()}
    listed = [name.partition(".") for name in openvino_devices()]
    found = [names[name] + dot.replace(".", ":") + number for name, dot, number in listed
             if name in names]  # fmt: skip
    return found if len(found) < 2 else [*found, "intel-auto"]


def _onnxruntime_devices() -> list[str]:
    from training.inference.onnxruntime_network import onnxruntime_devices

    return onnxruntime_devices()


def _torch_devices() -> list[str]:
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    found = ["cuda", *(f"cuda:{number}" for number in range(count))] if count else []
    return [*found, *(["mps"] if torch.backends.mps.is_available() else []), CPU]


LISTS: dict[str, Callable[[], list[str]]] = {  # of the devices that are there, by engine
    "openvino": _openvino_devices, "onnxruntime": _onnxruntime_devices, "torch": _torch_devices,
}  # fmt: skip
