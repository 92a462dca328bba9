"""Names garments: crops of a frame in one batch through an engine to class probabilities."""

import numpy as np

from preprocessing.images.network_input import NETWORK_INPUTS
from realtime.analysis.batched_engine import Batched
from realtime.analysis.engines import ENGINES, Engine
from realtime.types import Region
from training.inference.probabilities import softmax
from training.inference.weights import WeightsInfo, locate_for, verified


class Classifier:
    """A network with its engine; call it with an image and its regions."""

    def __init__(self, info: WeightsInfo, engine: Engine):
        self.info = info
        self._engine = engine
        self._cut = NETWORK_INPUTS[info.cut]

    def __call__(self, image: np.ndarray, regions: list[Region]) -> np.ndarray:
        """Calibrated class probabilities float32 (N, classes), a row a region."""
        return softmax(self.logits(image, regions) / self.info.temperature)

    def share(self) -> None:
        """Serve several threads from now on."""
        self._engine = Batched(self._engine)

    def logits(self, image: np.ndarray, regions: list[Region]) -> np.ndarray:
        """The network's outputs float32 (N, classes), a row a region."""
        if not regions:
            return np.zeros((0, len(self.info.classes)), np.float32)
        return self._engine(
            np.stack([self._cut(image, region, self.info.size) for region in regions])
        )


def load_classifier(
    model: str, *, engine: str, device: str, threads: int, task: str = "classify"
) -> Classifier:
    """A committed model's name or a weight file's path, checked and on its engine.

    Args:
        task: what it must be made for: "classify" or "attributes".

    Raises:
        WeightsError: unknown model, or its file is missing or damaged.
        DeviceError: the engine or device is not there.
    """
    stem, info = locate_for(task, model)
    verified(stem.with_suffix(".safetensors" if engine == "torch" else ".onnx"))
    return Classifier(info, ENGINES[engine](stem, info, device=device, threads=threads))
