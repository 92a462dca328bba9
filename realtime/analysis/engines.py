"""Engines run a classifier's network: the contract Engine, and ENGINES, the table behind --engine.

OpenVINO is the engine for CPUs. torch is imported only when its engine is chosen.
"""

import shutil
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Protocol

import numpy as np

from preprocessing.errors import DeviceError
from realtime.runtime.cache import cache_folder
from realtime.runtime.worker import cores
from training.inference.embedding import FeatureNetwork
from training.inference.openvino_network import OpenVinoNetwork
from training.inference.weights import WeightsInfo

TORCH_DEVICES = ("cuda", "mps")
MAX_STREAMS = 4
FEATURE_ENGINE = "openvino"  # the one that gives features of garments


class Engine(Protocol):
    """Runs a network on a batch of crops."""

    def __call__(self, batch: np.ndarray, /) -> np.ndarray:
        """Logits float32 (N, K) of images uint8 (N, C, H, W)."""
        ...


class EngineFactory(Protocol):
    """Loads a network: a row of ENGINES.

    Raises:
        WeightsError: the file does not fit its metadata.
        DeviceError: the engine or device is not available.
    """

    def __call__(self, stem: Path, info: WeightsInfo, /, *, device: str, threads: int) -> Engine:
        """The engine of a weight file, given without its suffix."""
        ...


def choose(engine: str, device: str) -> tuple[str, str]:
    """The engine and device to use; "auto" is a GPU that torch supports, else OpenVINO on the CPU.

    Raises:
        DeviceError: engine and device contradict each other.
    """
    if device == "auto":
        device = "cpu" if engine == "openvino" else _best_device()
    if engine == "auto":
        engine = "openvino" if device == "cpu" else "torch"
    if engine == "openvino" and device != "cpu":
        raise DeviceError(f"engine openvino runs on cpu, not {device}: use --engine torch")
    return engine, device


def streams_for(threads: int) -> int:
    """Frames that this machine's cores can process concurrently, with so many threads each."""
    return max(1, min(MAX_STREAMS, cores() // threads))


def _best_device() -> str:
    """A GPU that torch supports, else the CPU; torch is imported only if a GPU is likely."""
    likely = shutil.which("nvidia-smi") or Path("/dev/kfd").exists() or sys.platform == "darwin"
    if not likely:
        return "cpu"
    try:
        import torch
    except ImportError:
        return "cpu"
    return _torch_devices(torch)[0]


def openvino_engine(stem: Path, info: WeightsInfo, *, device: str, threads: int) -> Engine:
    """The .onnx file on OpenVINO, in bf16 where the CPU has matrix units for it."""
    network = OpenVinoNetwork(stem, threads=threads, cache=cache_folder())
    wanted = (info.channels, info.size, info.size)
    network.require(fits=network.input[1:] == wanted and network.output[1:] == (len(info.classes),))
    return network


def torch_engine(stem: Path, info: WeightsInfo, *, device: str, threads: int) -> Engine:
    """The .safetensors file on torch: half precision on a GPU, single on the CPU."""
    torch = require_torch(device, threads)
    from training.common.checkpoints import load_network

    half = torch.float16 if device in TORCH_DEVICES else None
    network = load_network(stem, info).to(device).to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def run(batch: np.ndarray) -> np.ndarray:
        images = torch.from_numpy(batch).to(device, non_blocking=True)
        with torch.autocast(device, dtype=half, enabled=half is not None):
            return network(images).float().cpu().numpy()

    return run


def feature_engine(stem: Path, info: WeightsInfo, *, engine: str, threads: int) -> FeatureNetwork:
    """The .onnx file on OpenVINO, which gives features of the garments beside their logits.

    Raises:
        DeviceError: another engine is chosen.
    """
    if engine != FEATURE_ENGINE:
        raise DeviceError("taught garments need the engine openvino: use --engine openvino")
    return FeatureNetwork(stem, info, threads=threads, cache=cache_folder())


def require_torch(device: str, threads: int) -> ModuleType:
    """The module torch, set up for a device.

    Raises:
        DeviceError: torch or the device is not available.
    """
    try:
        import torch
    except ImportError as error:
        raise DeviceError("engine torch needs torch: `pip install torch`") from error
    if device not in _torch_devices(torch):
        available = " or ".join(_torch_devices(torch))
        raise DeviceError(f"no {device} device here: use --device {available}")
    if device == "cpu":
        torch.set_num_threads(threads)
    return torch


def _torch_devices(torch: ModuleType) -> list[str]:
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return [*(name for name, there in present.items() if there), "cpu"]


ENGINES: dict[str, EngineFactory] = {"openvino": openvino_engine, "torch": torch_engine}


@dataclass(eq=False)
class _Request:
    batch: np.ndarray
    logits: np.ndarray | None = None
    error: Exception | None = None


class BatchedEngine:
    """A thread-safe engine.

    The first caller to get the lock runs the pending requests of all callers as one batch, so that
    it needs no thread of its own and nobody waits for others to come.
    """

    def __init__(self, engine: Engine):
        self._engine = engine
        self._running, self._listing = threading.Lock(), threading.Lock()
        self._pending: list[_Request] = []

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        """Logits float32 (N, K) of images (N, C, H, W), or whatever rows the engine gives."""
        request = _Request(batch)
        with self._listing:
            self._pending.append(request)
        with self._running:
            if request.logits is None and request.error is None:
                self._run_pending()
        if request.logits is None:
            assert request.error is not None
            raise request.error
        return request.logits

    def _run_pending(self) -> None:
        with self._listing:
            requests, self._pending = self._pending, []
        try:
            logits = self._engine(np.concatenate([request.batch for request in requests]))
        except Exception as error:  # each caller raises it again
            for request in requests:
                request.error = error
            return
        ends = np.cumsum([len(request.batch) for request in requests])[:-1]
        for request, part in zip(requests, np.split(logits, ends), strict=True):
            request.logits = part


class RememberingEngine:
    """An engine of logits that keeps the features which another one gives beside them.

    Args:
        engine: gives logits of `classes` classes and features, side by side.
    """

    def __init__(self, engine: Engine, classes: int):
        self._engine, self._classes = engine, classes
        self._own = threading.local()  # analyses of several sources share an engine

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        """Logits float32 (N, K)."""
        rows = self._engine(batch)
        self._own.features = rows[:, self._classes :]
        return rows[:, : self._classes]

    @property
    def features(self) -> np.ndarray:
        """Features float32 (N, F) of the calling thread's last batch."""
        return self._own.features
