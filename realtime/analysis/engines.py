"""Engines run the app's networks: ENGINES, the table behind --engine, and `loader`, their factory.

OpenVINO is the engine for CPUs. The packages of the others are imported only when they are chosen.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from preprocessing.errors import DeviceError
from realtime.runtime.cache import cache_folder
from realtime.runtime.devices import CPU, openvino_name, require
from realtime.runtime.worker import cores
from training.inference.networks import Layout, Loader, Network, tell_once
from training.inference.onnxruntime_network import OnnxRuntimeNetwork
from training.inference.openvino_network import OpenVinoNetwork
from training.inference.weights import WeightsInfo

MAX_STREAMS = 4


class Engine(Protocol):
    """Runs a network on a batch of crops."""

    def __call__(self, batch: np.ndarray, /) -> np.ndarray:
        """Logits float32 (N, K) of images uint8 (N, C, H, W)."""
        ...


@dataclass(frozen=True, kw_only=True)
class EngineOptions:
    """The runtime of networks.

    Attributes:
        engine: row of ENGINES; device: as `devices.choose` returns it.
        threads: CPU threads of one request.
        streams: requests that may run concurrently, from as many threads of the caller.
        precise: single precision even where the device is faster in a lower one.
    """

    engine: str = "openvino"
    device: str = CPU
    threads: int = 1
    streams: int = 1
    precise: bool = False


@dataclass(frozen=True)
class EngineRow:
    """A row of ENGINES.

    Attributes:
        loader: gives what loads a network with some options.
        kinds: suffixes of the files that it reads.
    """

    loader: Callable[[EngineOptions], Loader]
    kinds: tuple[str, ...] = (".onnx",)


def loader(options: EngineOptions) -> Loader:
    """The factory of all networks of the app: loads any published one with these options.

    Files of a kind that an engine does not read run on OpenVINO on the CPU, which a warning says.

    Raises:
        DeviceError: the engine or device is not available.
    """
    require(options.engine, options.device)
    row = ENGINES[options.engine]
    other = ENGINES["openvino"].loader(
        EngineOptions(threads=options.threads, streams=options.streams)
    )
    try:
        own = row.loader(options)
    except ImportError as error:  # of a package that is there, and broken
        name = options.engine
        raise DeviceError(f"engine {name} cannot be loaded ({error}): "
                          f"`pip install --force-reinstall {name}`") from error  # fmt: skip

    def load(
        stem: Path,
        /,
        *,
        kind: str = ".onnx",
        layout: Layout = Layout.AS_FILED,
        features: bool = False,
    ) -> Network:
        if kind not in row.kinds:
            tell_once(f"engine {options.engine} reads no {kind} files: the networks in them, those "
                      "of pose keypoints, run on OpenVINO on the CPU")  # fmt: skip
        chosen = own if kind in row.kinds else other
        return chosen(stem, kind=kind, layout=layout, features=features)

    return load


def _openvino(options: EngineOptions) -> Loader:
    """In bf16 where the CPU has matrix units for it."""
    return partial(
        OpenVinoNetwork,
        device=openvino_name(options.device),
        threads=options.threads,
        streams=options.streams,
        precise=options.precise,
        cache=cache_folder(),
    )


def _onnxruntime(options: EngineOptions) -> Loader:
    """In single precision, but for TensorRT, whose engines are cached."""
    return partial(
        OnnxRuntimeNetwork,
        device=options.device,
        threads=options.threads,
        precise=options.precise,
        cache=cache_folder(),
    )


def _torch(options: EngineOptions) -> Loader:
    """In half precision on a GPU, in single precision on the CPU."""
    from training.common.torch_network import TorchNetwork

    return partial(
        TorchNetwork, device=options.device, threads=options.threads, precise=options.precise
    )


ENGINES: dict[str, EngineRow] = {
    "openvino": EngineRow(_openvino, kinds=(".onnx", ".tflite")),
    "onnxruntime": EngineRow(_onnxruntime),
    "torch": EngineRow(_torch),
}


def streams_for(options: EngineOptions) -> int:
    """Frames that this machine can process concurrently, with so many CPU threads each."""
    if options.device != CPU or options.engine == "torch":  # which has one pool of threads
        return 1
    return max(1, min(MAX_STREAMS, cores() // options.threads))


def crop_engine(stem: Path, info: WeightsInfo, load: Loader) -> Engine:
    """The network of a classifier or attribute model.

    Raises:
        WeightsError: the file is damaged, or does not fit its metadata.
    """
    network = load(stem)
    wanted = (info.channels, info.size, info.size)
    network.require(fits=network.input[1:] == wanted and network.output[1:] == (len(info.classes),))
    return network


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
