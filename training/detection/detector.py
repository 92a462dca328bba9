"""A detector from its weight file: an image in, boxes with class scores out. Imports no torch."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np

from preprocessing.errors import WeightsError
from training.detection.decode import Detections, Letterbox, decode
from training.weights import WeightsInfo, remedy

# From BGR uint8 (H, W, 3), sides in multiples of the stride, to float32 (4 + classes, anchors).
Network = Callable[[np.ndarray], np.ndarray]


class Detector:
    """A network with its letterbox; call it with an image."""

    def __init__(
        self,
        info: WeightsInfo,
        network: Network,
        *,
        confidence: float | None = None,
        square: bool = False,
    ):
        """
        Args:
            confidence: least score of a box; None for the one chosen on validation.
            square: pad every image to one shape, for images of many sizes.
        """
        self.info = info
        self.confidence = info.confidence if confidence is None else confidence
        self._network = network
        self._square = square

    def __call__(self, image: np.ndarray) -> Detections:
        """What is in a BGR image uint8 (H, W, 3)."""
        height, width = image.shape[:2]
        box = _fit(width, height, self.info.size, self._square)
        found = decode(self._network(box(image)), confidence=self.confidence)
        return Detections(box.undo(found.boxes), found.scores)


@lru_cache(maxsize=16)
def _fit(width: int, height: int, size: int, square: bool) -> Letterbox:
    return Letterbox.fit(width, height, size, square=square)


def openvino_network(
    stem: Path, info: WeightsInfo, *, threads: int = 0, precise: bool = False, cache: str = ""
) -> Network:
    """The .onnx file on OpenVINO; each shape of input is compiled once.

    Args:
        threads: 0 for all cores.
        precise: single precision, where the CPU would use bf16.
        cache: folder in which compiled networks are kept.

    Raises:
        WeightsError: the file is damaged or does not fit its metadata.
    """
    import openvino

    core = openvino.Core()
    if cache:
        core.set_property({"CACHE_DIR": cache})
    options: dict[str, object] = {"PERFORMANCE_HINT": "LATENCY"}
    if threads:
        options["INFERENCE_NUM_THREADS"] = threads
    if precise:
        options["INFERENCE_PRECISION_HINT"] = "f32"
    path = stem.with_suffix(".onnx")
    try:
        read = core.read_model(str(path))
        rows = read.outputs[0].partial_shape[1]
    except (RuntimeError, IndexError) as error:
        reason = str(error).strip().splitlines()[-1]
        raise WeightsError(f"{path} is damaged ({reason}): {remedy(stem.name)}") from error
    if rows != 4 + len(info.classes):
        raise WeightsError(f"{path} does not fit its metadata: {remedy(stem.name)}")
    requests: dict[tuple[int, ...], object] = {}

    def run(image: np.ndarray) -> np.ndarray:
        if image.shape not in requests:
            model = _for_frames(read.clone(), image.shape)
            requests[image.shape] = core.compile_model(model, "CPU", options).create_infer_request()
        return requests[image.shape].infer([image[None]], share_inputs=True)[0][0]

    return run


def _for_frames(model, shape: tuple[int, ...]):
    """The network with BGR bytes (1, H, W, 3) as its input instead of RGB shares (1, 3, H, W)."""
    from openvino import Layout, Type
    from openvino.preprocess import ColorFormat, PrePostProcessor

    height, width = shape[:2]
    model.reshape([1, 3, height, width])
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(Type.u8).set_layout(Layout("NHWC")).set_color_format(
        ColorFormat.BGR
    )
    steps.input().model().set_layout(Layout("NCHW"))
    steps.input().preprocess().convert_element_type(Type.f32).convert_color(ColorFormat.RGB).scale(
        255.0
    )
    return steps.build()
