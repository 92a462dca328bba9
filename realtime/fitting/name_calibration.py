"""Calibrates the probabilities of names: `python -m realtime.fitting.name_calibration`.

A classifier fused with a locator runs on labelled validation photos as in the app; by level of the
tree of names, and for lying and worn garments apart, the log-odds of the names that it would show
get the scale and the shift under which these names are right as often as they say. Fit it after
the fusion weights.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from preprocessing.errors import DataError, exit_status
from preprocessing.labels import CLASS_OF, OTHER, general_names
from realtime.analysis.classifiers import FusedClassifier
from realtime.analysis.locators import Locator
from realtime.analysis.pose_tracker import PoseTracker
from realtime.fitting.labelled_photos import Pair, Photos, add_flags, found_garments, photos_of
from training.inference.name_tree import IDENTITY, LEVELS, NAMES, NameCalibration, NameTree
from training.inference.pose import PoseEstimator

SCALES, SHIFTS = np.linspace(0.3, 2, 35), np.linspace(-2, 2, 41)
PRIOR = 0.3, 0.5  # standard deviations of the logarithm of a scale, and of a shift
MIN_NAMES, MIN_WRONG = 20, 3  # of a level, from which it is calibrated
DECIMALS = 2
NEAR = 1e-6  # distance of probabilities from 0 and 1 in log-odds


@dataclass(frozen=True, eq=False)
class LabelledRow:
    """Class probabilities float32 (classes,) of a garment, and its true name.

    Attributes:
        truth: a class, a general name if no more is known, or OTHER.
        worn: someone wears it.
    """

    probabilities: np.ndarray
    truth: str
    worn: bool = False


@dataclass(frozen=True)
class ShownName:
    """A name on the way to the most probable class: its probability, and if it is right."""

    probability: float
    right: bool


def rows(
    photos: Photos, locator: Locator, fused: FusedClassifier, *, pose: PoseEstimator | None = None
) -> Iterator[LabelledRow]:
    """The probabilities of the labelled garments that the locator finds.

    Args:
        pose: refines the labels of worn garments, as in the app.
    """
    for found in found_garments(photos, locator):
        regions = [found.region]
        if pose:
            regions = PoseTracker(pose)(found.image, regions)
        yield LabelledRow(
            fused(found.image, regions)[0],
            true_name(found.label, fused.info.classes),
            worn=found.region.bare is not None,
        )


def true_name(label: str, classes: Sequence[str]) -> str:
    """The name in a tree over classes that a photo's label means, which may be a general one."""
    if label in classes:
        return label
    meant = [name for name in classes if CLASS_OF.get(name) == CLASS_OF.get(label, label)]
    return meant[0] if len(meant) == 1 else label


def shown_names(tree: NameTree, row: LabelledRow) -> Iterator[tuple[str, ShownName]]:
    """The names on the way to the most probable class, each with its level.

    Those are left out that say more than is known about the garment.
    """
    true_names = (*general_names(row.truth), row.truth)
    sums = tree.sums(row.probabilities)
    for index in tree.descend(sums):
        name = tree.names[index]
        if name != OTHER and row.truth not in general_names(name):
            right = row.truth != OTHER and name in true_names
            yield tree.levels[index], ShownName(float(sums[index]), right)


def fit(shown: Sequence[ShownName]) -> tuple[float, float]:
    """The most probable scale and shift of log-odds, by grid search.

    Platt 1999, "Probabilistic outputs for support vector machines"; normal priors around no change
    at all in place of his smoothed targets, so that few names change little.
    """

    def loss(numbers: tuple[float, float]) -> float:
        deviations = np.log(numbers[0]) / PRIOR[0], numbers[1] / PRIOR[1]
        return len(shown) * log_loss(shown, numbers) + float(np.square(deviations).sum()) / 2

    tried = [
        (round(float(scale), DECIMALS), round(float(shift), DECIMALS))
        for scale in SCALES
        for shift in SHIFTS
    ]
    return min(tried, key=loss)


def log_loss(shown: Sequence[ShownName], numbers: tuple[float, float]) -> float:
    """Mean log loss of the names' probabilities with a scale and a shift."""
    right = np.array([one.right for one in shown])
    clipped = np.clip([one.probability for one in shown], NEAR, 1 - NEAR)
    logits = numbers[0] * np.log(clipped / (1 - clipped)) + numbers[1]
    return float((np.logaddexp(0, logits) - right * logits).mean())


def by_level(tree: NameTree, found: Iterable[LabelledRow]) -> Mapping[str, list[ShownName]]:
    """The names that the rows would show, by their level."""
    levels: dict[str, list[ShownName]] = defaultdict(list)
    for row in found:
        for level, name in shown_names(tree, row):
            levels[level].append(name)
    return levels


def fit_calibration(tree: NameTree, found: Sequence[LabelledRow]) -> NameCalibration:
    """The calibration of lying and of worn garments; see `fit_levels`."""
    return NameCalibration(
        lying=fit_levels(tree, [row for row in found if not row.worn], title="lying"),
        worn=fit_levels(tree, [row for row in found if row.worn], title="worn"),
    )


def fit_levels(
    tree: NameTree, found: Sequence[LabelledRow], *, title: str
) -> dict[str, tuple[float, float]]:
    """The scale and shift of each level that has names enough, and wrong ones among them.

    Prints how well the probabilities agree with the frequency of right names, before and after.
    """
    levels, numbers = by_level(tree, found), {}
    for level in LEVELS:
        shown = levels.get(level, [])
        wrong = sum(not one.right for one in shown)
        if len(shown) < MIN_NAMES or wrong < MIN_WRONG:
            print(f"{title}, {level}: {len(shown)} names, {wrong} wrong: too few to calibrate")
            continue
        numbers[level] = fit(shown)
        before, after = log_loss(shown, IDENTITY), log_loss(shown, numbers[level])
        expected = np.mean([one.probability for one in shown])
        print(f"{title}, {level}: {len(shown)} names, {1 - wrong / len(shown):.1%} right, "
              f"{expected:.1%} by their probabilities; scale {numbers[level][0]:.2f}, shift "
              f"{numbers[level][1]:.1f}: log loss {before:.3f} becomes {after:.3f}")  # fmt: skip
    return numbers


def main(argv: list[str] | None = None) -> int:
    arguments = argparse.ArgumentParser(
        prog="python -m realtime.fitting.name_calibration",
        description="Calibrate the probabilities of names, from \"t-shirt\" to \"upper body\", on "
        "labelled validation photos, and write the numbers beside the classifier's weights.",
    )  # fmt: skip
    add_flags(arguments)
    args = arguments.parse_args(argv)
    return exit_status(lambda: _run(args.model, args.locate, photos_of(args)))


def _run(model: str, locate_by: str, photos: Photos) -> int:
    pair = Pair.load(model, locate_by)
    shown = tqdm(photos, "photos", disable=None)
    found = list(rows(shown, pair.locator, pair.fused, pose=pair.poses))
    if not found:
        raise DataError(f"{locate_by} finds none of the labelled garments")
    calibration = fit_calibration(NameTree(pair.fused.info.classes), found)
    origin = f"realtime.fitting.name_calibration: {len(found)} garments in validation photos"
    print(f"wrote {NAMES.write(calibration, *pair.stems, origin=origin)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
