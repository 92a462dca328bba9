"""Classifiers: class probabilities for the garments of a frame.

From a network on crops, from the locator's class scores, or from both fused.
"""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from preprocessing.errors import UsageError
from preprocessing.images.regions import NETWORK_INPUTS
from preprocessing.labels import (
    BARE_OR_COVERED,
    BODY_PART,
    CLASS_OF,
    LAYERS,
    OTHER,
    PHOTO_LAYER,
    general_name,
)
from realtime.analysis.engines import BatchedEngine, Engine, EngineOptions, crop_engine, loader
from realtime.runtime.devices import AUTO
from realtime.types import Region
from training.inference.label_fusion import (
    FUSION,
    FusionWeights,
    log_linear_pool,
    normalised_scores,
)
from training.inference.name_tree import NAMES, NameCalibration
from training.inference.pose import LIMB_ODDS, LimbOdds
from training.inference.probabilities import softmax
from training.inference.weights import WeightsInfo, locate, locate_for, verified

BORDER = 0.02  # of the frame's side; a garment that comes as near to its border is cut off there
KNEE = 1.5  # times its width, that a garment reaches down to the knee
# Exponent of the odds between classes that differ by a limb out of the picture. On 277 garments in
# cut photos wrong kinds fall from 12 to 5 %, right ones from 52 to 46 %; the others get general
# names.
UNSEEN = 0.6


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
    precision: str = AUTO,
    task: str = "classify",
    concurrent: bool = False,
) -> CropClassifier:
    """A committed model or a weight file, verified and on its engine.

    Args:
        model: a name in the manifest, or a path.
        precision: see `EngineOptions`.
        task: that the model must be trained for: "classify" or "attributes".
        concurrent: make the engine thread-safe by batching concurrent calls.

    Raises:
        WeightsError: unknown model, or its file is missing or damaged.
        DeviceError: the engine or device is not available.
    """
    stem, info = locate_for(task, model)
    verified(stem.with_suffix(".onnx"))
    options = EngineOptions(engine=engine, device=device, threads=threads, precision=precision)
    loaded = crop_engine(stem, info, loader(options))
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
    """Log-probabilities or log-likelihoods float32 (N, classes) of regions, by their source.

    Attributes:
        unseen: by region the limbs that its class depends on, and that are out of the picture.
    """

    classifier: np.ndarray
    locator: np.ndarray
    limbs: np.ndarray
    unseen: list[list[str]]


class FusedClassifier:
    """A classifier's probabilities fused with the locator's scores and with bare limbs.

    Classes that differ by the length of sleeves or legs become more alike where the picture cuts
    those off: the classifier judges by what it cannot see there.

    A layer of the locator that contains none of the classifier's classes ("bag") becomes a class of
    its own, about which the classifier is undecided. OTHER gets the score that the locator gives to
    none of its layers.

    Args:
        located: metadata of the locator.
        weights: fitted to the two.
        limbs: evidence of worn garments.
        calibration: of the names whose probabilities are the result's sums.

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
        calibration: NameCalibration = NAMES.neutral,
    ):
        columns = locator_columns(located, classifier.info)
        added = tuple(name for k, name in enumerate(located.classes) if k not in set(columns))
        self.info = replace(classifier.info, classes=(*classifier.info.classes, *added))
        self._columns = np.array([*columns, *map(located.classes.index, added)])
        self._located, self._classifier, self._added = located, classifier, len(added)
        self._weights, self._limb_odds, self.calibration = weights, limbs, calibration
        names = self.info.classes, located.classes
        self._limbs = [_Limb.of(limb, *names) for limb in BARE_OR_COVERED]

    def __call__(self, image: np.ndarray, regions: list[Region]) -> np.ndarray:
        """Class probabilities float32 (N, classes), a row for each region, summing to 1."""
        chosen = [
            self._weights.lying if region.bare is None else self._weights.worn for region in regions
        ]
        evidence = self.evidence(image, regions)
        fused = log_linear_pool(
            evidence.classifier,
            evidence.locator,
            powers=np.array(chosen, np.float32).reshape(-1, 2),
            log_likelihood=evidence.limbs,
        )
        for row, unseen in zip(fused, evidence.unseen, strict=True):
            for limb in self._limbs:
                if limb.name in unseen:
                    row[limb.alike] = flattened(row[limb.alike], UNSEEN)
        return fused

    def evidence(self, image: np.ndarray, regions: list[Region]) -> Evidence:
        """The evidence of each source before it is fused."""
        uniform = np.full((len(regions), self._added), 1 / len(self.info.classes), np.float32)
        classified = np.concatenate([self._classifier(image, regions), uniform], axis=1)
        scores = _scores(regions, len(self._located.classes))
        rest = [max(0.0, 1 - float(row.sum())) for row in scores]
        located = np.column_stack([normalised_scores(scores), np.array(rest, np.float32)])
        limbs = np.zeros((len(regions), len(self.info.classes)), np.float32)
        unseen = [self._add_limbs(*pair, image) for pair in zip(limbs, regions, strict=True)]
        return Evidence(
            np.log(classified + self._weights.classifier_floor),
            np.log(located[:, self._columns] + self._weights.locator_floor),
            limbs,
            unseen,
        )

    def _add_limbs(self, row: np.ndarray, region: Region, image: np.ndarray) -> list[str]:
        """Add the log-likelihoods of bare and covered limbs to a row (classes,).

        Returns:
            The limbs that the region's class depends on and that are out of the picture.
        """
        found, unseen = self._limb_odds(region), []
        for limb in self._limbs:
            if region.scores is None or not limb.layers[region.scores.argmax()]:
                continue
            odds = found.get(limb.name, 0.0)
            # Skin in view is bare. Where a limb is cut off, none in view is no sleeve either.
            if odds <= 0 and limb.cut_off(region, image):
                unseen.append(limb.name)
            else:
                row[limb.bare] += odds / 2
                row[limb.covered] -= odds / 2
        return unseen


@dataclass(frozen=True, eq=False)
class _Limb:
    """A limb that garments leave bare or cover, in the columns of a classifier and its locator.

    Attributes:
        bare, covered: indices of the classes that do so.
        alike: indices of all classes that differ by this limb alone.
        layers: True for the locator's classes on the limb's part of the body, bool (classes,).
    """

    name: str
    bare: list[int]
    covered: list[int]
    alike: list[int]
    layers: np.ndarray

    @classmethod
    def of(cls, name: str, classes: tuple[str, ...], layers: tuple[str, ...]) -> "_Limb":
        bare, covered = BARE_OR_COVERED[name]
        general, part = general_name(bare[0]), BODY_PART[bare[0]]
        return cls(
            name,
            [classes.index(one) for one in bare if one in classes],
            [classes.index(one) for one in covered if one in classes],
            [index for index, one in enumerate(classes) if general_name(one) == general],
            np.array([BODY_PART.get(CLASS_OF.get(layer, layer)) == part for layer in layers]),
        )

    def cut_off(self, region: Region, image: np.ndarray) -> bool:
        """True if the limb of the region's wearer may lie outside of an image (H, W, ...)."""
        if self.name in region.limbs or (region.bare is None and region.wearer is None):
            return False
        (height, width), (x1, y1, x2, y2) = image.shape[:2], region.box.tolist()
        below = y2 >= (1 - BORDER) * height
        if self.name == "shins":
            return below and y2 - y1 < KNEE * (x2 - x1)
        return below or x1 <= BORDER * width or x2 >= (1 - BORDER) * width


def flattened(probabilities: np.ndarray, exponent: float) -> np.ndarray:
    """Probabilities (N,) of the same sum whose odds have an exponent: equal ones for 0."""
    powers = np.maximum(probabilities, 1e-9) ** exponent
    return probabilities.sum() * powers / powers.sum()


def load_fused(
    classifier: Classifier,
    located: WeightsInfo,
    *,
    model: str,
    locator: str,
    weights: FusionWeights | None = None,
    calibration: NameCalibration | None = None,
) -> FusedClassifier:
    """A classifier fused with a locator by the numbers that were fitted to their weights.

    Args:
        located: metadata of the locator.
        model, locator: committed names or weight files of the two.
        weights, calibration: in place of the fitted ones.

    Raises:
        UsageError: a class of the classifier belongs to none of the locator's.
        WeightsError: a file of fitted numbers is damaged.
    """
    stem, locator_stem = locate(model)[0], locate(locator)[0]
    limbs = LIMB_ODDS.read(locator_stem) if located.task == "parse" else LIMB_ODDS.neutral
    weights = weights or FUSION.read(stem, locator_stem)
    calibration = calibration or NAMES.read(stem, locator_stem)
    return FusedClassifier(
        located, classifier, weights=weights, limbs=limbs, calibration=calibration
    )


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
