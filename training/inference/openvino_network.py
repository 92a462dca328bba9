"""A published network file on OpenVINO: arrays in, arrays out."""

import importlib
import sys
import threading
from concurrent.futures import Future
from functools import cache
from pathlib import Path
from typing import Any, TypedDict, Unpack

import numpy as np

from training.inference.compiled_networks import compiled_folder
from training.inference.networks import Layout, NetworkFile, load_error, no_memory

CONVERTER = "openvino.tools.ovc"
CPU = "CPU"
HINTS = {"fp32": "f32", "bf16": "bf16", "fp16": "f16"}  # OpenVINO's names of precisions
STATIC = ("NPU",)  # devices that compile networks for one shape of input only


class NetworkOptions(TypedDict, total=False):
    """How a network runs. OpenVINO has no type information: Any is its.

    Attributes:
        device: OpenVINO's name of it, such as CPU, GPU.1 or NPU.
        threads: CPU threads of one request; 0 for all cores.
        streams: requests that may run concurrently, from as many threads of the caller.
        precision: a name of HINTS; "" for OpenVINO's choice, bf16 on CPUs that have units for it.
        cache: folder for compiled networks; "" for none.
    """

    device: str
    threads: int
    streams: int
    precision: str
    cache: str


def _openvino() -> Any:
    """The module openvino, without its model converter, which takes longest to load."""
    if "openvino" not in sys.modules:
        sys.modules[CONVERTER] = None  # type: ignore[assignment]  # an import of it then fails
        try:
            importlib.import_module("openvino")
        finally:
            del sys.modules[CONVERTER]
    return sys.modules["openvino"]


_starting = threading.Lock()


def _core() -> Any:
    """The process's one openvino.Core, which lives to its end; several threads may ask at once."""
    with _starting:
        started = _started()
    return started.result()


@cache
def _started() -> Future[Any]:
    """The openvino.Core, or the error for all who ask: a second import would raise another one."""
    future: Future[Any] = Future()
    try:
        future.set_result(_new_core())
    except Exception as error:
        future.set_exception(error)
    return future


def _new_core() -> Any:
    """An openvino.Core.

    The CPU plugin of each core installs a signal stack and, when it is destroyed, restores the one
    before, which may be that of another destroyed core: the next signal would crash the process.
    """
    openvino = _openvino()
    # Builds the module's tables of types now: two threads that build one at the same time deadlock,
    # one with the interpreter's lock and the other with the table's.
    openvino.Type(np.dtype(np.float32)).to_dtype()
    return openvino.Core()


def openvino_devices() -> list[str]:
    """OpenVINO's names of the devices that its plugins find here."""
    return list(_core().available_devices)


def openvino_precisions(device: str) -> tuple[str, ...]:
    """Names of HINTS that a device has units for."""
    try:
        able = _core().get_property(device, "OPTIMIZATION_CAPABILITIES")
    except RuntimeError:  # of a plugin that cannot be loaded, as the first network will say
        return ()
    return tuple(name for name in HINTS if name.upper() in able)


class OpenVinoNetwork(NetworkFile):
    """A network with one input, by default on the CPU.

    Args:
        stem: path of the file without its suffix; kind: the suffix.
        layout: AS_FILED compiles the network as it is, dynamic in the axes that the file leaves
            dynamic; with the others it is compiled once for each shape of input.
        features: give a classifier's feature maps, the finest first, and its last layer's input as
            further outputs; the file stays as it is.
        options: see `NetworkOptions`.

    Attributes:
        input, output: the file's shapes, -1 for a dynamic axis.

    Raises:
        WeightsError: the file is damaged.
        DeviceError: there is not enough memory for it.
    """

    def __init__(
        self,
        stem: Path,
        *,
        kind: str = ".onnx",
        layout: Layout = Layout.AS_FILED,
        features: bool = False,
        **options: Unpack[NetworkOptions],
    ):
        super().__init__(stem.with_suffix(kind))
        self._device = options.get("device", CPU)
        if layout is Layout.AS_FILED and self._device.startswith(STATIC):
            layout = Layout.EACH_SHAPE
        self._layout = layout
        self._properties, self._cache = _properties(options), options.get("cache", "")
        self._compiled: dict[tuple[int, ...], Any] = {}
        self._compiling = threading.Lock()
        self._own = threading.local()  # a request serves one thread at a time
        try:
            self._model = _core().read_model(str(self._path))
            if features:
                self._model.add_outputs(_features(self._model))
            self.input, self.output = (
                tuple(d.get_length() if d.is_static else -1 for d in port[0].partial_shape)
                for port in (self._model.inputs, self._model.outputs)
            )
            if layout is Layout.AS_FILED:
                self._compile(())
        except (RuntimeError, IndexError) as error:
            raise load_error(self._path, error) from error

    def __call__(self, array: np.ndarray) -> np.ndarray:
        """The first output for an input; the array may be written to afterwards."""
        return self._infer(array)[0].copy()

    def outputs_for(self, array: np.ndarray) -> list[np.ndarray]:
        """All outputs for an input, in the file's order."""
        results = self._infer(array)
        return [results[number].copy() for number in range(len(self._model.outputs))]

    def _infer(self, array: np.ndarray) -> Any:
        request = self._request(() if self._layout is Layout.AS_FILED else array.shape)
        results = request.infer([array], share_inputs=True, share_outputs=True)
        if len(results[0]) != len(array):  # truncated if memory runs out during the request
            raise no_memory(self._path)
        return results

    def _request(self, shape: tuple[int, ...]) -> Any:
        """The openvino.InferRequest of the calling thread."""
        requests: dict[tuple[int, ...], Any] = self._own.__dict__.setdefault("requests", {})
        if shape not in requests:
            try:
                requests[shape] = self._compile(shape).create_infer_request()
            except RuntimeError as error:
                raise load_error(self._path, error) from error
        return requests[shape]

    def _compile(self, shape: tuple[int, ...]) -> Any:
        """The openvino.CompiledModel for a shape of input."""
        with self._compiling:
            if shape not in self._compiled:
                with compiled_folder(self._cache, self._path) as folder:
                    self._compiled[shape] = _core().compile_model(
                        self._fitted(shape), self._device, self._properties | {"CACHE_DIR": folder}
                    )
            return self._compiled[shape]

    def _fitted(self, shape: tuple[int, ...]) -> Any:
        """The openvino.Model for a shape of input."""
        if self._layout is Layout.AS_FILED:
            return self._model
        model = self._model.clone()
        if self._layout is Layout.FRAMES:
            return _for_frames(model, shape)
        model.reshape(list(shape))
        return model


def _for_frames(model: Any, shape: tuple[int, ...]) -> Any:
    """The openvino.Model with BGR uint8 (N, H, W, 3) as input, not RGB of 0 to 1 (N, 3, H, W)."""
    from openvino import Layout as Axes
    from openvino import Type
    from openvino.preprocess import ColorFormat, PrePostProcessor

    count, height, width = shape[:3]
    model.reshape([count, 3, height, width])
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(Type.u8).set_layout(Axes("NHWC")).set_color_format(
        ColorFormat.BGR
    )
    steps.input().model().set_layout(Axes("NCHW"))
    steps.input().preprocess().convert_element_type(Type.f32).convert_color(ColorFormat.RGB).scale(
        255.0
    )
    return steps.build()


def _features(model: Any) -> list[Any]:
    """The openvino.Output of each resolution's last residual sum, and what the last layer takes.

    They are (N, C, H, W), the finest first, and (N, D).

    Raises:
        IndexError: there is no layer.
    """
    maps, layers = {}, []
    for node in model.get_ordered_ops():
        if node.get_type_name() == "MatMul":
            layers.append(node)
        elif node.get_type_name() == "Add":
            shapes = [port.get_partial_shape() for port in (*node.inputs(), *node.outputs())]
            if len(shapes[0]) == 4 and all(shape == shapes[0] for shape in shapes):
                maps[shapes[0][2].get_length()] = node.output(0)
    return [*(maps[side] for side in sorted(maps, reverse=True)), layers[-1].input_value(0)]


def _properties(options: NetworkOptions) -> dict[str, object]:
    """OpenVINO's names and values of the options."""
    found: dict[str, object] = {"PERFORMANCE_HINT": "LATENCY"}
    threads, streams = options.get("threads", 0), options.get("streams", 1)
    if threads and options.get("device", CPU) == CPU:
        found |= {"INFERENCE_NUM_THREADS": threads * streams, "NUM_STREAMS": streams}
    if precision := options.get("precision"):
        found["INFERENCE_PRECISION_HINT"] = HINTS[precision]
    return found
