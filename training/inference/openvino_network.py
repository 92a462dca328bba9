"""A published .onnx file on OpenVINO: an array in, an array out. Imports no torch."""

import importlib
import sys
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from preprocessing.errors import DeviceError, GarmentError, WeightsError, is_out_of_memory
from training.inference.weights import remedy

CONVERTER = "openvino.tools.ovc"
# Changes a network for inputs of one shape.
Fit = Callable[["openvino.Model", tuple[int, ...]], "openvino.Model"]  # noqa: F821


def _openvino():
    """The module openvino, without its converter of models, which takes longest to load."""
    if "openvino" not in sys.modules:
        sys.modules[CONVERTER] = None  # then openvino goes on without it
        try:
            importlib.import_module("openvino")
        finally:
            del sys.modules[CONVERTER]
    return sys.modules["openvino"]


@cache
def _core():
    """The process's one core, kept to its end.

    Each has its CPU plugin, which gives the thread a stack for signals and, when it goes, puts back
    the one found before: that of another core, perhaps gone, and the next signal is the end.
    """
    openvino = _openvino()
    # Makes both of the module's tables of types now: two threads that make one at once wait for
    # each other for ever, one with the interpreter's lock and the other with the table's.
    openvino.Type(np.dtype(np.float32)).to_dtype()
    return openvino.Core()


class OpenVinoNetwork:
    """A network of one input.

    Args:
        stem: of the file; kind: its suffix.
        threads: of one input, 0 for all cores.
        streams: inputs that may be worked on side by side, by callers of as many threads.
        precise: single precision, where the CPU would use bf16.
        cache: folder in which compiled networks are kept; none for "".
        fit: makes the network for a shape of input, which is then compiled once for each; None to
            compile it as it is, open in the axes that the file leaves open.

    Attributes:
        input, output: the file's shapes, -1 for an open axis.

    Raises:
        WeightsError: the file is damaged.
        DeviceError: there is not enough memory for it.
    """

    def __init__(
        self,
        stem: Path,
        *,
        kind: str = ".onnx",
        threads: int = 0,
        streams: int = 1,
        precise: bool = False,
        cache: str = "",
        fit: Fit | None = None,
    ):
        self._path, self._fit = stem.with_suffix(kind), fit
        self._options: dict[str, object] = {"PERFORMANCE_HINT": "LATENCY", "CACHE_DIR": cache}
        if threads:
            self._options |= {"INFERENCE_NUM_THREADS": threads * streams, "NUM_STREAMS": streams}
        if precise:
            self._options["INFERENCE_PRECISION_HINT"] = "f32"
        self._compiled: dict[tuple[int, ...], object] = {}
        self._compiling = threading.Lock()
        self._own = threading.local()  # a request serves one thread at a time
        try:
            self._model = _core().read_model(str(self._path))
            self.input, self.output = (
                tuple(d.get_length() if d.is_static else -1 for d in port[0].partial_shape)
                for port in (self._model.inputs, self._model.outputs)
            )
            if fit is None:
                self._compile(())
        except (RuntimeError, IndexError) as error:
            raise self._damaged(error) from error

    def __call__(self, array: np.ndarray) -> np.ndarray:
        """The first output for an input; the array may be written to afterwards."""
        return self._answers(array)[0].copy()

    def answers(self, array: np.ndarray) -> list[np.ndarray]:
        """All outputs for an input, in the file's order."""
        found = self._answers(array)
        return [found[number].copy() for number in range(len(self._model.outputs))]

    def _answers(self, array: np.ndarray):
        request = self._request(array.shape if self._fit else ())
        found = request.infer([array], share_inputs=True, share_outputs=True)
        if len(found[0]) != len(array):  # what is left where memory ran out midway
            raise self._no_memory()
        return found

    def require(self, *, fits: bool) -> None:
        """Refuse a file whose shapes are not those that its metadata promise.

        Raises:
            WeightsError: it does not fit.
        """
        if not fits:
            raise WeightsError(f"{self._path} does not fit its metadata: {remedy(self._path.stem)}")

    def _request(self, shape: tuple[int, ...]) -> "openvino.InferRequest":  # noqa: F821
        requests = self._own.__dict__
        if shape not in requests:
            try:
                requests[shape] = self._compile(shape).create_infer_request()
            except RuntimeError as error:
                raise self._damaged(error) from error
        return requests[shape]

    def _compile(self, shape: tuple[int, ...]) -> "openvino.CompiledModel":  # noqa: F821
        with self._compiling:
            if shape not in self._compiled:
                model = self._fit(self._model.clone(), shape) if self._fit else self._model
                self._compiled[shape] = _core().compile_model(model, "CPU", self._options)
            return self._compiled[shape]

    def _damaged(self, error: Exception) -> GarmentError:
        reason = str(error).strip().splitlines()[-1]
        if is_out_of_memory(error):
            return self._no_memory()
        return WeightsError(f"{self._path} is damaged ({reason}): {remedy(self._path.stem)}")

    def _no_memory(self) -> DeviceError:
        return DeviceError(f"not enough memory for {self._path}: close other programs, "
                           "or use a smaller --model")  # fmt: skip
