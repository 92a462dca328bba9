"""A published parser's answer for an image, on OpenVINO. Imports no torch."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from preprocessing.errors import WeightsError
from training.weights import remedy

# From BGR uint8 (1, 3, H, W), sides in multiples of 32, to float32 (1, classes, H / 4, W / 4).
Answerer = Callable[[np.ndarray], np.ndarray]


def openvino_answer(
    stem: Path, *, threads: int = 0, precise: bool = False, cache: str = ""
) -> Answerer:
    """The .onnx file on OpenVINO; each shape of input is compiled once.

    Args:
        threads: 0 for all cores; precise: single precision; cache: folder of compiled networks.

    Raises:
        WeightsError: the file is damaged.
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
    requests: dict[tuple[int, ...], object] = {}

    def run(image: np.ndarray) -> np.ndarray:
        if image.shape not in requests:
            try:
                model = core.read_model(str(path))
                model.reshape(list(image.shape))
                requests[image.shape] = core.compile_model(
                    model, "CPU", options
                ).create_infer_request()
            except RuntimeError as error:
                reason = str(error).strip().splitlines()[-1]
                raise WeightsError(f"{path} is damaged ({reason}): {remedy(stem.name)}") from error
        return requests[image.shape].infer([image], share_inputs=True)[0]

    return run
