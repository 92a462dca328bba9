"""Names of boxes by a detector's scores and a classifier's opinion together. Imports no torch."""

from pathlib import Path

import numpy as np

from preprocessing.errors import UsageError
from preprocessing.images.network_input import NETWORK_INPUTS
from preprocessing.images.regions import Region
from training.inference import weights
from training.inference.detection_decoding import Detections
from training.inference.label_sources import BOX_CLASSIFIERS
from training.inference.openvino_network import OpenVinoNetwork
from training.inference.probabilities import shares, softmax
from training.inference.weights import WeightsInfo

FLOOR = 1e-4  # least probability a classifier may claim
DOUBT = 0.05  # probability that what located a garment gives a class no less than
# Powers of the classifier's opinion and of the detector's, by the average precision of both
# together on validation canvases.
POWERS = (0.7, 0.3)
MOST = 50  # boxes an image that are named, strongest first


def default_box_classifier(detector: WeightsInfo) -> str | None:
    """The classifier that labels a detector's boxes with it; None for a detector on its own."""
    name = BOX_CLASSIFIERS.get(detector.name)
    return name if name and weights.locate(name)[1].knows_the_same(detector) else None


class Namer:
    """Gives a detector's boxes a score in every class, after another look at each.

    Raises:
        UsageError: the classifier knows other classes than the detector.
    """

    def __init__(self, stem: Path, info: WeightsInfo, detector: WeightsInfo):
        if not info.knows_the_same(detector):
            raise UsageError(f"--name-by {info.name}: it knows {', '.join(info.classes)}, the "
                             f"detector {', '.join(detector.classes)}")  # fmt: skip
        self._network, self.info = OpenVinoNetwork(stem), info
        self._order = [info.classes.index(name) for name in detector.classes]

    def __call__(self, image: np.ndarray, found: Detections) -> Detections:
        """The boxes found in a BGR image, a class at a time: see `named`."""
        sides = (found.boxes[:, 2:] - found.boxes[:, :2]).min(axis=1)
        found = found.take(np.flatnonzero(sides >= 1)[:MOST])
        if not len(found.boxes):
            return found
        cut, size = NETWORK_INPUTS[self.info.cut], self.info.size
        crops = np.stack([cut(image, Region.from_box(box), size) for box in found.boxes])
        opinion = softmax(self._network(crops) / self.info.temperature)
        return named(found, opinion[:, self._order])


def named(found: Detections, opinion: np.ndarray) -> Detections:
    """Boxes with a classifier's opinion float32 (N, classes): a box with one score for each class.

    The scores of a box share out how likely there is a garment.
    """
    logs = POWERS[0] * np.log(opinion + FLOOR) + POWERS[1] * np.log(shares(found.scores) + DOUBT)
    presence = np.clip(found.scores.sum(axis=1, keepdims=True), 0, 1)
    scores = (presence * softmax(logs)).astype(np.float32)
    count = scores.shape[1]
    each = (scores[:, :, None] * np.eye(count, dtype=np.float32)).reshape(-1, count)
    strongest = np.argsort(-scores.ravel(), kind="stable")
    return Detections(np.repeat(found.boxes, count, axis=0), each).take(strongest)
