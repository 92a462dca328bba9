"""Engines run the app's networks: ENGINES, the table behind --engine, and `loader`, their factory.

OpenVINO is the engine for CPUs. The packages of the others are imported only when they are chosen.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from preprocessing.errors import DeviceError
from realtime.runtime.cache import cache_folder
from realtime.runtime.devices import AUTO, CPU, SINGLE, openvino_name, require
from realtime.runtime.merging import Merger
from realtime.runtime.precision import OWN, Processor, chosen_precision
from realtime.runtime.worker import cores
from training.inference.networks import Layout, Loader, Network, tell_once
from training.inference.onnxruntime_network import OnnxRuntimeNetwork
from training.inference.openvino_network import OpenVinoNetwork
from training.inference.weights import WeightsInfo

MAX_STREAMS = 4
# Devices that are the faster the more images they get at once, whose engines take any number of
# them without compiling anew, and from several threads: TensorRT, MIGraphX and OpenVINO compile a
# network for each size of batch, torch on MPS and DirectML take one thread at a time.
BATCHING = ("cuda", "rocm")
BATCH_STREAMS = 8  # frames of a source that are begun at the same time there
MAX_BATCH = 32  # images of a request, of all sources together


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
        precision: a name of PRECISIONS, "auto" for that which is measured to be faster, or ""
            for the engine's own choice.
        batch: most images to which concurrent requests are merged, 1 for none; None for what suits
            the device.
    """

    engine: str = "openvino"
    device: str = CPU
    threads: int = 1
    streams: int = 1
    precision: str = AUTO
    batch: int | None = None

    @property
    def processor(self) -> Processor:
        """The engine, device and threads, whose precision it is."""
        return Processor(self.engine, self.device, self.threads)

    @property
    def batches(self) -> bool:
        """True if the device is one of BATCHING."""
        return self.device.partition(":")[0] in BATCHING


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
    options.processor.require(options.precision)
    row, automatic = ENGINES[options.engine], options.precision == AUTO
    other = ENGINES["openvino"].loader(EngineOptions(
        threads=options.threads,
        streams=options.streams,
        precision=SINGLE if options.precision == SINGLE else OWN,
    ))  # fmt: skip

    def computing_in(precision: str) -> Loader:
        return row.loader(replace(options, precision=precision))

    try:
        own = computing_in(OWN if automatic else options.precision)
    except ImportError as error:  # of a package that is there, and broken
        name = options.engine
        raise DeviceError(f"engine {name} cannot be loaded ({error}): "
                          f"`pip install --force-reinstall {name}`") from error  # fmt: skip

    most = options.batch or (MAX_BATCH if options.batches else 1)

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
            require("openvino", CPU)
            return other(stem, kind=kind, layout=layout, features=features)
        chosen = own
        if automatic and kind == ".onnx":
            chosen = computing_in(chosen_precision(
                options.processor,
                stem.with_suffix(kind),
                layout,
                lambda precision: computing_in(precision)(stem, layout=layout),
            ))  # fmt: skip
        network = chosen(stem, kind=kind, layout=layout, features=features)
        return BatchedNetwork(network, most=most) if most > 1 else network

    return load


def _openvino(options: EngineOptions) -> Loader:
    """By itself in bf16 where the CPU has units for it."""
    return partial(
        OpenVinoNetwork,
        device=openvino_name(options.device),
        threads=options.threads,
        streams=options.streams,
        precision=options.precision,
        cache=cache_folder(),
    )


def _onnxruntime(options: EngineOptions) -> Loader:
    """In single precision, but for TensorRT, whose engines are cached."""
    return partial(
        OnnxRuntimeNetwork,
        device=options.device,
        threads=options.threads,
        precision=options.precision,
        cache=cache_folder(),
    )


def _torch(options: EngineOptions) -> Loader:
    """By itself in half precision on a GPU, in single precision on the CPU."""
    from training.common.torch_network import TorchNetwork

    return partial(
        TorchNetwork, device=options.device, threads=options.threads, precision=options.precision
    )


ENGINES: dict[str, EngineRow] = {
    "openvino": EngineRow(_openvino, kinds=(".onnx", ".tflite")),
    "onnxruntime": EngineRow(_onnxruntime),
    "torch": EngineRow(_torch),
}


def streams_for(options: EngineOptions) -> int:
    """Frames that this machine can process concurrently, with so many CPU threads each."""
    if options.batches:
        return BATCH_STREAMS
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


class BatchedEngine:
    """A thread-safe engine, which runs the crops of callers that wait in one batch."""

    def __init__(self, engine: Engine, *, most: int = MAX_BATCH):
        self._merged = Merger(lambda batch: [engine(batch)], most=most, padded=False)

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        """Logits float32 (N, K) of images (N, C, H, W), or whatever rows the engine gives."""
        return self._merged(batch)[0]


class BatchedNetwork:
    """A network on a device of BATCHING, which runs the images of callers that wait in one batch.

    So frames that are begun at the same time, and those of several sources, share requests.
    """

    def __init__(self, network: Network, *, most: int):
        self._network = network
        self.input, self.output = network.input, network.output
        self._first = Merger(lambda batch: [network(batch)], most=most, padded=True)
        self._all = Merger(network.outputs_for, most=most, padded=True)

    def __call__(self, array: np.ndarray) -> np.ndarray:
        """See `Network`."""
        return self._first(array)[0]

    def outputs_for(self, array: np.ndarray) -> list[np.ndarray]:
        """See `Network`."""
        return list(self._all(array))

    def require(self, *, fits: bool) -> None:
        """See `Network`."""
        self._network.require(fits=fits)


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
