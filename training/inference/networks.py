"""The contract of a published network on any runtime: arrays in, arrays out.

`OpenVinoNetwork`, `OnnxRuntimeNetwork` and `training.common.torch_network.TorchNetwork` keep it;
`realtime.analysis.engines` chooses one of them for all networks of the app.
"""

import enum
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from preprocessing.errors import DeviceError, GarmentError, WeightsError, is_out_of_memory
from training.inference.weights import remedy

logger = logging.getLogger(__name__)
# Last words of OpenVINO where its libraries that read files cannot be mapped into memory.
NO_FRONTENDS = "Available frontends:"


class Layout(enum.Enum):
    """How the arrays that a network is given relate to its file's input."""

    AS_FILED = "the file's own input, of any batch"
    EACH_SHAPE = "the file's own input, of sides that vary: compiled for each where that is faster"
    FRAMES = "BGR uint8 (N, H, W, 3), where the file wants RGB float32 (N, 3, H, W) of 0 to 1"


class Network(Protocol):
    """A network with one input.

    Attributes:
        input, output: the file's shapes, -1 for a dynamic axis.
    """

    @property
    def input(self) -> tuple[int, ...]: ...
    @property
    def output(self) -> tuple[int, ...]: ...

    def __call__(self, array: np.ndarray, /) -> np.ndarray:
        """The first output for an input; the array may be written to afterwards."""
        ...

    def outputs_for(self, array: np.ndarray, /) -> list[np.ndarray]:
        """All outputs for an input, in the file's order."""
        ...

    def require(self, *, fits: bool) -> None:
        """Refuse a file whose shapes differ from those in its metadata.

        Raises:
            WeightsError: it does not fit.
        """
        ...


class Loader(Protocol):
    """Loads networks on one runtime and device.

    Raises:
        WeightsError: the file is damaged.
        DeviceError: the runtime or device is not available, or there is not enough memory.
    """

    def __call__(
        self,
        stem: Path,
        /,
        *,
        kind: str = ".onnx",
        layout: Layout = Layout.AS_FILED,
        features: bool = False,
    ) -> Network:
        """The network of a file.

        Args:
            stem: path of the file without its suffix; kind: the suffix.
            features: give a classifier's feature maps, the finest first, and its last layer's input
                as further outputs; the file stays as it is.
        """
        ...


class NetworkFile:
    """The file of a network, which is part of every runtime's.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path):
        self._path = path

    def require(self, *, fits: bool) -> None:
        """See `Network`."""
        if not fits:
            raise WeightsError(f"{self._path} does not fit its metadata: "
                               f"{remedy(self._path.stem)}")  # fmt: skip


def load_error(path: Path, error: Exception) -> GarmentError:
    """The expected error that an error of a runtime on a file stands for."""
    if is_out_of_memory(error) or str(error).rstrip().endswith(NO_FRONTENDS):
        return no_memory(path)
    reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
    return WeightsError(f"{path} is damaged ({reason}): {remedy(path.stem)}")


def no_memory(path: Path) -> DeviceError:
    """The error of a network for which memory does not suffice."""
    return DeviceError(f"not enough memory for {path}: close other programs, "
                       "or use a smaller --model")  # fmt: skip


@contextmanager
def memory_errors(path: Path) -> Iterator[None]:
    """Turn a runtime's lack of memory, on the device too, inside the block into DeviceError.

    Raises:
        DeviceError: there is not enough.
    """
    try:
        yield
    except Exception as error:
        if is_out_of_memory(error):
            raise no_memory(path) from error
        raise


def planes_of(frames: np.ndarray) -> np.ndarray:
    """Frames BGR uint8 (N, H, W, 3) as RGB float32 (N, 3, H, W) of 0 to 1."""
    return np.ascontiguousarray(frames[..., ::-1].transpose(0, 3, 1, 2), np.float32) / 255


@cache
def tell_once(message: str) -> None:
    """Log a warning, the first time that the process comes to it."""
    logger.warning("%s", message)


def read_onnx(path: Path) -> Any:
    """The onnx.ModelProto of a file; the package has no usable type information: Any.

    Raises:
        DeviceError: the package onnx is not installed.
        Exception: of onnx or protobuf, where the file is damaged.
    """
    try:
        import onnx
    except ImportError as error:
        raise DeviceError("this engine reads networks by the package onnx: `pip install onnx`, "
                          "or use --engine openvino") from error  # fmt: skip
    return onnx.load(str(path))


def feature_names(model: Any) -> list[str]:
    """The tensors of each resolution's last residual sum, and what the last layer takes.

    They are (N, C, H, W), the finest first, and (N, D), as `OpenVinoNetwork` finds them.

    Raises:
        IndexError: there is no layer.
    """
    import onnx

    inferred = onnx.shape_inference.infer_shapes(model).graph
    shapes = {value.name: _shape(value) for value in (*inferred.value_info, *inferred.output)}
    maps, layers = {}, []
    for node in model.graph.node:
        if node.op_type in ("MatMul", "Gemm"):
            layers.append(node.input[0])
        elif node.op_type == "Add":
            sides = [shapes.get(name, ()) for name in (*node.input, *node.output)]
            if len(sides[0]) == 4 and all(side == sides[0] for side in sides):
                maps[sides[0][2]] = node.output[0]
    return [*(maps[side] for side in sorted(maps, reverse=True)), layers[-1]]


def _shape(value: Any) -> tuple[str | int, ...]:
    """The shape of an onnx.ValueInfoProto, names for dynamic axes."""
    return tuple(side.dim_param or side.dim_value for side in value.type.tensor_type.shape.dim)
