"""Fits how a classifier and a locator are fused: `python -m realtime.fitting.fusion_weights`.

Both run on labelled validation photos; the exponents of their probabilities under which the true
classes are likeliest are written beside the classifier's weights.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from preprocessing.errors import DataError, exit_status
from realtime.analysis.classifiers import FusedClassifier
from realtime.analysis.locators import Locator
from realtime.fitting.labelled_photos import Pair, Photos, add_flags, found_garments, photos_of
from training.inference.label_fusion import FUSION, FusionWeights, log_linear_pool

GRID = np.linspace(0, 3, 61)  # of exponents


@dataclass(frozen=True, eq=False)
class Observation:
    """The evidence about one garment, logs float32 (classes,), and the index of its true class."""

    classifier: np.ndarray
    locator: np.ndarray
    limbs: np.ndarray
    truth: int
    worn: bool


def observations(photos: Photos, locator: Locator, fused: FusedClassifier) -> Iterator[Observation]:
    """The evidence about the labelled garments that the locator finds, of the fused classes."""
    for found in found_garments(photos, locator):
        if found.label in fused.info.classes:
            evidence = fused.evidence(found.image, [found.region])
            yield Observation(
                evidence.classifier[0],
                evidence.locator[0],
                evidence.limbs[0],
                fused.info.classes.index(found.label),
                worn=found.region.bare is not None,
            )


@dataclass(frozen=True, eq=False)
class Stacked:
    """Observations as arrays (N, classes), and the true classes (N,)."""

    classifier: np.ndarray
    locator: np.ndarray
    limbs: np.ndarray
    truth: np.ndarray

    @classmethod
    def of(cls, found: Sequence[Observation]) -> "Stacked":
        return cls(
            np.stack([one.classifier for one in found]),
            np.stack([one.locator for one in found]),
            np.stack([one.limbs for one in found]),
            np.array([one.truth for one in found]),
        )

    def evaluate(self, powers: tuple[float, float]) -> tuple[float, float]:
        """Mean negative log-likelihood of the true classes, and accuracy."""
        probabilities = log_linear_pool(
            self.classifier, self.locator, powers=powers, log_likelihood=self.limbs
        )
        likelihood = probabilities[np.arange(len(self.truth)), self.truth]
        right = probabilities.argmax(axis=1) == self.truth
        return float(-np.log(likelihood + 1e-9).mean()), float(right.mean())


def fit(found: Sequence[Observation]) -> tuple[float, float]:
    """The exponents of least log loss, by grid search."""
    stacked = Stacked.of(found)
    tried = [(float(a), float(b)) for a in GRID for b in GRID]
    return min(tried, key=lambda powers: stacked.evaluate(powers)[0])


def fit_weights(found: Sequence[Observation]) -> FusionWeights:
    """The weights of lying and of worn garments; the same for both if there are but the former.

    Prints how well the neutral and the fitted ones label the observations.
    """
    weights = FusionWeights()
    for kind in ("lying", "worn"):
        members = [one for one in found if one.worn == (kind == "worn")]
        powers = fit(members) if members else weights.lying
        weights = replace(weights, worn=powers) if kind == "worn" else FusionWeights(powers, powers)
        for title, tried in (("neutral", FusionWeights().lying), ("fitted", powers)):
            if members:
                loss, accuracy = Stacked.of(members).evaluate(tried)
                print(f"{kind}, {len(members)} garments, {title} {tried[0]:.2f} and "
                      f"{tried[1]:.2f}: log loss {loss:.3f}, {accuracy:.1%} right")  # fmt: skip
    return weights


def main(argv: list[str] | None = None) -> int:
    arguments = argparse.ArgumentParser(
        prog="python -m realtime.fitting.fusion_weights",
        description="Fit the weights with which a classifier's and a locator's class probabilities "
        "are fused, on labelled validation photos, and write them beside the classifier's weights.",
    )
    add_flags(arguments)
    args = arguments.parse_args(argv)
    return exit_status(lambda: _run(args.model, args.locate, photos_of(args)))


def _run(model: str, locate_by: str, photos: Photos) -> int:
    pair = Pair.load(model, locate_by, weights=FUSION.neutral)
    found = list(observations(tqdm(photos, "photos", disable=None), pair.locator, pair.fused))
    if not found:
        raise DataError(f"{locate_by} finds none of the labelled garments")
    origin = f"realtime.fitting.fusion_weights: {len(found)} garments in validation photos"
    print(f"wrote {FUSION.write(fit_weights(found), *pair.stems, origin=origin)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
