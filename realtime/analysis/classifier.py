"""Classifiers: class probabilities for the garments of a frame.

The contract Classifier, and CropClassifier, a network on crops. `fusion` has the ones that use the
locator's scores.
"""

from typing import Protocol

import numpy as np

from preprocessing.images.network_input import NETWORK_INPUTS
from realtime.analysis.engines import ENGINES, BatchedEngine, Engine
from realtime.types import Region
from training.inference.probabilities import softmax
from training.inference.weights import WeightsInfo, locate_for, verified


class Classifier(Protocol):
    """Classifies the regions of a BGR image (H, W, 3).

    Attributes:
        info: `info.classes` names the columns of the result.
    """

    @property
    def info(self) -> WeightsInfo: ...

    def __call__(self, image: np.ndarray, regions: list[Region], /) -> np.ndarray:
        """Class probabilities float32 (N, classes), a row for each region, summing to 1."""
        ...


class CropClassifier:
    """A network that sees each garment alone; the garments of a frame are one batch."""

    def __init__(self, info: WeightsInfo, engine: Engine):
        self.info = info
        self._engine = engine
        self._network_input = NETWORK_INPUTS[info.network_input]

    def __call__(self, image: np.ndarray, regions: list[Region]) -> np.ndarray:
        """Calibrated class probabilities float32 (N, classes), a row for each region."""
        return softmax(self.logits(image, regions) / self.info.temperature)

    def logits(self, image: np.ndarray, regions: list[Region]) -> np.ndarray:
        """The network's outputs float32 (N, classes), a row for each region."""
        if not regions:
            return np.zeros((0, len(self.info.classes)), np.float32)
        size = self.info.size
        return self._engine(np.stack([self._network_input(image, one, size) for one in regions]))


def load_classifier(
    model: str,
    *,
    engine: str,
    device: str,
    threads: int,
    task: str = "classify",
    concurrent: bool = False,
) -> CropClassifier:
    """A committed model or a weight file, verified and on its engine.

    Args:
        model: a name in the manifest, or a path.
        task: that the model must be trained for: "classify" or "attributes".
        concurrent: make the engine thread-safe by batching concurrent calls.

    Raises:
        WeightsError: unknown model, or its file is missing or damaged.
        DeviceError: the engine or device is not available.
    """
    stem, info = locate_for(task, model)
    verified(stem.with_suffix(".safetensors" if engine == "torch" else ".onnx"))
    loaded = ENGINES[engine](stem, info, device=device, threads=threads)
    return CropClassifier(info, BatchedEngine(loaded) if concurrent else loaded)
