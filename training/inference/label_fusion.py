"""Labels from two sources: a classifier's and a locator's class probabilities, fused."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from preprocessing.errors import UsageError
from preprocessing.images.regions import NETWORK_INPUTS, Region
from training.inference.detector import Detections
from training.inference.fitted import FittedFile
from training.inference.label_sources import BOX_CLASSIFIERS
from training.inference.openvino_network import OpenVinoNetwork
from training.inference.probabilities import softmax
from training.inference.weights import WeightsInfo, locate

MOST = 50  # boxes of an image that are classified, highest score first


@dataclass(frozen=True)
class FusionWeights:
    """Weights of a log-linear pool of class probabilities.

    The defaults weigh both sources alike, and a little below 1: two networks that see the same
    pixels are not independent.

    Attributes:
        lying, worn: exponents of the classifier's and of the locator's probabilities, for garments
            that nobody wears and for worn ones.
        classifier_floor, locator_floor: added to the probabilities, so that neither source can
            exclude a class.
    """

    lying: tuple[float, float] = (0.9, 0.9)
    worn: tuple[float, float] = (0.9, 0.9)
    classifier_floor: float = 1e-4
    locator_floor: float = 0.05


FUSION = FittedFile(
    "fusion",
    FusionWeights(),
    "python -m realtime.fitting.fusion_weights --model {0} --locate {1}",
)


def log_linear_pool(
    classifier: np.ndarray,
    locator: np.ndarray,
    *,
    powers: np.ndarray | tuple[float, float],
    log_likelihood: np.ndarray | float = 0.0,
) -> np.ndarray:
    """Class probabilities float32 (N, K), proportional to a weighted product of two sources'.

    Genest and Zidek 1986, "Combining probability distributions".

    Args:
        classifier, locator: log-probabilities float32 (N, K).
        powers: exponents of the two, (2,) or for each row (N, 2).
        log_likelihood: further evidence (N, K).
    """
    powers = np.asarray(powers, np.float32)
    return softmax(powers[..., :1] * classifier + powers[..., 1:] * locator + log_likelihood)


def normalised_scores(scores: np.ndarray) -> np.ndarray:
    """A detector's independent class scores (N, K) as probabilities, each row summing to 1.

    Probability that no class claims is divided equally among all.
    """
    rest = np.clip(1 - scores.sum(axis=1, keepdims=True), 0, None)
    claimed = scores + rest / scores.shape[1]
    return claimed / claimed.sum(axis=1, keepdims=True)


def default_box_classifier(detector: WeightsInfo) -> str | None:
    """The classifier that labels a detector's boxes with it; None for a detector on its own.

    Raises:
        WeightsError: its file is missing or damaged.
    """
    name = BOX_CLASSIFIERS.get(detector.name)
    return name if name and locate(name)[1].has_classes_of(detector) else None


class BoxClassifier:
    """Classifies a detector's boxes and fuses the result with their scores.

    Args:
        stem: of the classifier's file.
        fusion: fitted to the two.

    Raises:
        UsageError: the classifier has other classes than the detector.
        WeightsError: its file is damaged.
    """

    def __init__(
        self, stem: Path, info: WeightsInfo, detector: WeightsInfo, *, fusion: FusionWeights
    ):
        if not info.has_classes_of(detector):
            raise UsageError(f"classifier {info.name} has the classes {', '.join(info.classes)}, "
                             f"detector {detector.name} {', '.join(detector.classes)}: choose "
                             "another classifier")  # fmt: skip
        self.info = info
        self._network, self._fusion = OpenVinoNetwork(stem), fusion
        self._order = [info.classes.index(name) for name in detector.classes]

    def __call__(self, image: np.ndarray, found: Detections) -> Detections:
        """The boxes of a BGR image (H, W, 3) with fused scores: see `fused_detections`."""
        sides = (found.boxes[:, 2:] - found.boxes[:, :2]).min(axis=1)
        found = found.take(np.flatnonzero(sides >= 1)[:MOST])
        if not len(found.boxes):
            return found
        network_input, size = NETWORK_INPUTS[self.info.network_input], self.info.size
        crops = np.stack([network_input(image, Region.from_box(b), size) for b in found.boxes])
        probabilities = softmax(self._network(crops) / self.info.temperature)
        return fused_detections(found, probabilities[:, self._order], self._fusion)


def load_box_classifier(model: str, detector: str) -> BoxClassifier:
    """A classifier for a detector's boxes, by their names or weight files.

    Raises:
        UsageError: the classifier has other classes than the detector.
        WeightsError: a file is missing or damaged.
    """
    (stem, info), (detector_stem, detector_info) = locate(model), locate(detector)
    return BoxClassifier(stem, info, detector_info, fusion=FUSION.read(stem, detector_stem))


def fused_detections(
    found: Detections, probabilities: np.ndarray, fusion: FusionWeights
) -> Detections:
    """Boxes with a score in each class, from a classifier's probabilities float32 (N, classes).

    The scores of one box sum to the detector's probability that there is an object at all; the
    result has each box once for each class, with that class's score alone.
    """
    fused = log_linear_pool(
        np.log(probabilities + fusion.classifier_floor),
        np.log(normalised_scores(found.scores) + fusion.locator_floor),
        powers=fusion.lying,
    )
    presence = np.clip(found.scores.sum(axis=1, keepdims=True), 0, 1)
    scores = (presence * fused).astype(np.float32)
    count = scores.shape[1]
    single = (scores[:, :, None] * np.eye(count, dtype=np.float32)).reshape(-1, count)
    order = np.argsort(-scores.ravel(), kind="stable")
    return Detections(np.repeat(found.boxes, count, axis=0), single).take(order)
