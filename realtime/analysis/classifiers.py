"""Classifiers: class probabilities for the garments of a frame.

From a network on crops, from the locator's class scores, or from both fused.
"""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from preprocessing.errors import UsageError
from preprocessing.images.regions import NETWORK_INPUTS
from preprocessing.labels import BARE_OR_COVERED, LAYERS, OTHER, PHOTO_LAYER
from realtime.analysis.engines import ENGINES, BatchedEngine, Engine
from realtime.types import Region
from training.inference.label_fusion import (
    FUSION,
    FusionWeights,
    log_linear_pool,
    normalised_scores,
)
from training.inference.pose import LIMB_ODDS, LimbOdds
from training.inference.probabilities import softmax
from training.inference.weights import WeightsInfo, locate, locate_for, verified


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


class LocatorScores:
    """Classifies regions by their locator's scores."""

    def __init__(self, info: WeightsInfo):
        self.info = info

    def __call__(self, image: np.ndarray, regions: list[Region]) -> np.ndarray:
        """Class probabilities float32 (N, classes), a row for each region, summing to 1."""
        return normalised_scores(_scores(regions, len(self.info.classes)))


@dataclass(frozen=True, eq=False)
class Evidence:
    """Log-probabilities or log-likelihoods float32 (N, classes) of regions, by their source."""

    classifier: np.ndarray
    locator: np.ndarray
    limbs: np.ndarray


class FusedClassifier:
    """A classifier's probabilities fused with the locator's scores and with bare limbs.

    A layer of the locator that contains none of the classifier's classes ("bag") becomes a class of
    its own, about which the classifier is undecided. OTHER gets the score that the locator gives to
    none of its layers.

    Args:
        located: metadata of the locator.
        weights: fitted to the two.
        limbs: evidence of worn garments.

    Raises:
        UsageError: a class of the classifier belongs to none of the locator's.
    """

    def __init__(
        self,
        located: WeightsInfo,
        classifier: Classifier,
        *,
        weights: FusionWeights,
        limbs: LimbOdds,
    ):
        columns = locator_columns(located, classifier.info)
        added = tuple(name for k, name in enumerate(located.classes) if k not in set(columns))
        self.info = replace(classifier.info, classes=(*classifier.info.classes, *added))
        self._columns = np.array([*columns, *map(located.classes.index, added)])
        self._located, self._classifier, self._added = located, classifier, len(added)
        self._weights, self._limb_odds = weights, limbs

    def __call__(self, image: np.ndarray, regions: list[Region]) -> np.ndarray:
        """Class probabilities float32 (N, classes), a row for each region, summing to 1."""
        chosen = [
            self._weights.lying if region.bare is None else self._weights.worn for region in regions
        ]
        evidence = self.evidence(image, regions)
        return log_linear_pool(
            evidence.classifier,
            evidence.locator,
            powers=np.array(chosen, np.float32).reshape(-1, 2),
            log_likelihood=evidence.limbs,
        )

    def evidence(self, image: np.ndarray, regions: list[Region]) -> Evidence:
        """The evidence of each source before it is fused."""
        uniform = np.full((len(regions), self._added), 1 / len(self.info.classes), np.float32)
        classified = np.concatenate([self._classifier(image, regions), uniform], axis=1)
        scores = _scores(regions, len(self._located.classes))
        rest = [max(0.0, 1 - float(row.sum())) for row in scores]
        located = np.column_stack([normalised_scores(scores), np.array(rest, np.float32)])
        return Evidence(
            np.log(classified + self._weights.classifier_floor),
            np.log(located[:, self._columns] + self._weights.locator_floor),
            self._limbs(regions),
        )

    def _limbs(self, regions: list[Region]) -> np.ndarray:
        """Log-likelihoods float32 (N, classes) of bare and covered limbs."""
        found = np.zeros((len(regions), len(self.info.classes)), np.float32)
        for row, region in zip(found, regions, strict=True):
            for limb, odds in self._limb_odds(region).items():
                for classes, sign in zip(BARE_OR_COVERED[limb], (0.5, -0.5), strict=True):
                    for name in set(classes) & set(self.info.classes):
                        row[self.info.classes.index(name)] = sign * odds
        return found


def load_fused(
    classifier: Classifier,
    located: WeightsInfo,
    *,
    model: str,
    locator: str,
    weights: FusionWeights | None = None,
) -> FusedClassifier:
    """A classifier fused with a locator by the numbers that were fitted to their weights.

    Args:
        located: metadata of the locator.
        model, locator: committed names or weight files of the two.
        weights: in place of the fitted ones.

    Raises:
        UsageError: a class of the classifier belongs to none of the locator's.
        WeightsError: a file of fitted numbers is damaged.
    """
    stem, locator_stem = locate(model)[0], locate(locator)[0]
    limbs = LIMB_ODDS.read(locator_stem) if located.task == "parse" else LIMB_ODDS.neutral
    weights = weights or FUSION.read(stem, locator_stem)
    return FusedClassifier(located, classifier, weights=weights, limbs=limbs)


def locator_columns(located: WeightsInfo, classifier: WeightsInfo) -> list[int]:
    """For each of a classifier's classes the index of the locator's class that contains it.

    OTHER belongs to the one after the last.

    Raises:
        UsageError: a class belongs to none.
    """
    names = classifier.classes
    if located.classes == LAYERS:
        names = tuple(PHOTO_LAYER.get(name, name) for name in names)
    known = (*located.classes, OTHER)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(
            f"--label-source both: {located.name} finds {', '.join(located.classes)}, and "
            f"{classifier.name}'s {', '.join(unknown)} is none of them: give another --model"
        )
    return [known.index(name) for name in names]


def _scores(regions: list[Region], classes: int) -> np.ndarray:
    """The regions' class scores float32 (N, classes)."""
    rows = [region.scores for region in regions if region.scores is not None]
    return np.stack(rows) if rows else np.zeros((0, classes), np.float32)
