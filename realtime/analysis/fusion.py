"""Names from the scores that a locator gave its regions, alone or beside a classifier's opinion.

Both stand where a Classifier does.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from preprocessing.errors import UsageError
from preprocessing.labels import BARE_OR_COVERED, LAYERS, OTHER, PHOTO_LAYER
from realtime.analysis.classifier import Classifier
from realtime.types import Region
from training.inference.box_naming import DOUBT, FLOOR
from training.inference.probabilities import shares, softmax
from training.inference.weights import WeightsInfo

# Powers of the classifier's opinion and of the locator's for lying and for worn garments:
# classifiers of lying clothes know little of worn ones. By `realtime.fitting.fusion_weights`.
FLAT, WORN = (0.9, 0.9), (0.65, 0.95)
# Log-odds of kinds that leave a limb bare against those that cover it: weights of the skin beside
# the garment and of the limb's bare share, and a constant. Where no limb is seen, the skin speaks
# alone. Fitted by `training.parsing.fit_limbs`.
LIMBS = {"forearms": (4.7, 4.3, -4.0), "shins": (0.0, 6.1, -2.7)}
SKIN_ALONE = {"forearms": (10.2, -1.8)}
MOST = 2.2  # log-odds that a limb is worth


def kept_classes(info: WeightsInfo, only: Sequence[str]) -> np.ndarray:
    """Which of a locator's classes to look for, bool (classes,): those named, or all for none.

    Raises:
        UsageError: it does not know one of them.
    """
    strange = sorted(set(only) - set(info.classes))
    if strange:
        raise UsageError(f"--only: {info.name} does not know {', '.join(strange)}, it knows "
                         f"{', '.join(info.classes)}")  # fmt: skip
    return np.array([not only or name in only for name in info.classes])


class ScoreNames:
    """Names regions by their locator's scores."""

    def __init__(self, info: WeightsInfo):
        self.info = info

    def __call__(self, image: np.ndarray, regions: list[Region]) -> np.ndarray:
        """Class probabilities float32 (N, classes), a row a region, each summing to 1."""
        if not regions:
            return np.zeros((0, len(self.info.classes)), np.float32)
        return shares(np.stack([region.scores for region in regions]))


class JointNames:
    """Names regions by a classifier's opinion of the crop times the locator's of the layer.

    A layer that means none of the classifier's classes ("bag") becomes a class of its own, on
    which the classifier has no opinion. OTHER is what the locator leaves to none of its layers.

    Args:
        lying: powers of the two for garments that nobody wears.

    Raises:
        UsageError: the two speak of different things.
    """

    def __init__(
        self,
        located: WeightsInfo,
        classifier: Classifier,
        *,
        lying: tuple[float, float] = FLAT,
    ):
        classes = classifier.info.classes
        meant = meanings(located, classifier.info)
        extra = tuple(n for k, n in enumerate(located.classes) if k not in set(meant))
        self.info = replace(classifier.info, classes=(*classes, *extra))
        # A row a name: the locator's class that it belongs to.
        self._meant = np.array([*meant, *map(located.classes.index, extra)])
        self._scores, self._classify, self._extra = ScoreNames(located), classifier, len(extra)
        self._lying = lying

    def __call__(self, image: np.ndarray, regions: list[Region]) -> np.ndarray:
        """Class probabilities float32 (N, classes), a row a region, each summing to 1."""
        chosen = [self._lying if region.bare is None else WORN for region in regions]
        powers = np.array(chosen, np.float32).reshape(-1, 2)
        opinion, layers, sleeves = self.evidence(image, regions)
        return softmax(powers[:, :1] * opinion + powers[:, 1:] * layers + sleeves)

    def evidence(
        self, image: np.ndarray, regions: list[Region]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What the classifier, the locator and bare limbs say: three float32 (N, classes), logs."""
        opinion = self._classify(image, regions)
        silent = np.full((len(regions), self._extra), 1 / len(self.info.classes), np.float32)
        opinion = np.log(np.concatenate([opinion, silent], axis=1) + FLOOR)
        rest = [max(0.0, 1 - float(region.scores.sum())) for region in regions]
        scores = np.column_stack([self._scores(image, regions), np.array(rest, np.float32)])
        layers = np.log(scores[:, self._meant] + DOUBT)
        return opinion, layers, self._limbs(regions)

    def _limbs(self, regions: list[Region]) -> np.ndarray:
        """What bare limbs say about the classes: log-likelihoods float32 (N, classes)."""
        said = np.zeros((len(regions), len(self.info.classes)), np.float32)
        for row, region in zip(said, regions, strict=True):
            for limb, odds in bare_odds(region).items():
                for kinds, share in zip(BARE_OR_COVERED[limb], (0.5, -0.5), strict=True):
                    for name in set(kinds) & set(self.info.classes):
                        row[self.info.classes.index(name)] = share * odds
        return said


def bare_odds(region: Region) -> dict[str, float]:
    """By limb: the log-odds that what covers the region leaves it bare; of lying garments none."""
    if region.bare is None:
        return {}
    odds = {limb: slope * region.bare + bias for limb, (slope, bias) in SKIN_ALONE.items()}
    for limb, cover in region.limbs.items():
        skin, slope, bias = LIMBS[limb]
        odds[limb] = skin * region.bare + slope * (1 - cover) + bias
    return {limb: float(np.clip(value, -MOST, MOST)) for limb, value in odds.items()}


def meanings(located: WeightsInfo, classifier: WeightsInfo) -> list[int]:
    """For each of a classifier's classes the number of the locator's class that it belongs to.

    OTHER belongs to the one after the last, which is none.

    Raises:
        UsageError: there is a class that belongs to none.
    """
    names = classifier.classes
    if located.classes == LAYERS:
        names = tuple(PHOTO_LAYER.get(name, name) for name in names)
    known = (*located.classes, OTHER)
    strange = [name for name in names if name not in known]
    if strange:
        raise UsageError(
            f"--name-by both: {located.name} knows {', '.join(located.classes)}, and "
            f"{classifier.name}'s {', '.join(strange)} is none of them: give another --model"
        )
    return [known.index(name) for name in names]
