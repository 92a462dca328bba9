"""Rules by which a data set is built, and its split: stratified, each group on one side."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from preprocessing.datasets.samples import Sample
from preprocessing.errors import DataError, UsageError
from preprocessing.flags import FRACTION_BELOW_ONE, POSITIVE, Flag

GROUP = "data set"


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Rules by which a data set is built.

    Attributes:
        classes: names to keep; empty for all.
        min_images: classes with fewer readable pictures are dropped.
        max_images: of a class, drawn by `seed`; None for all.
        validation, test: fractions split off.
        group_column: CSV column of the product or sender, which is on one side of a split.
        max_bad: fraction of missing and unreadable pictures above which building fails.

    Raises:
        UsageError: the numbers contradict each other.
    """

    classes: Annotated[
        tuple[str, ...],
        Flag("only these classes", metavar="A,B,...", group=GROUP, default="all"),
    ] = ()
    min_images: Annotated[
        int, Flag("minimum images per class; classes with fewer are dropped", POSITIVE, "N", GROUP)
    ] = 3
    max_images: Annotated[
        int | None,
        Flag("maximum images per class, drawn by --seed", POSITIVE, "N", GROUP, default="all"),
    ] = None
    validation: Annotated[
        float, Flag("fraction for validation", FRACTION_BELOW_ONE, "FRACTION", GROUP)
    ] = 0.15
    test: Annotated[float, Flag("fraction for the test", FRACTION_BELOW_ONE, "FRACTION", GROUP)] = (
        0.15
    )
    group_column: Annotated[
        str, Flag("CSV column of the product or sender", metavar="NAME", group=GROUP)
    ] = "group"
    max_bad: Annotated[
        float,
        Flag("maximum fraction of unreadable images", FRACTION_BELOW_ONE, "FRACTION", GROUP),
    ] = 0.01
    seed: int = 0

    def __post_init__(self) -> None:
        if self.validation + self.test >= 1:
            raise UsageError("--validation and --test leave nothing to train on")
        if self.max_images is not None and self.max_images < self.min_images:
            raise UsageError(f"--max-images must be --min-images ({self.min_images}) or more, got "
                             f"{self.max_images}")  # fmt: skip


def split_samples(
    samples: Sequence[Sample], *, validation: float, test: float, seed: int
) -> list[Sample]:
    """The samples with their splits, in the same order.

    A split that the source itself gives is kept; if it has no validation part, one is drawn.

    Args:
        validation, test: fractions of all samples, 0 for none.

    Raises:
        DataError: a class is missing from the training part.
    """
    given = {sample.split for sample in samples if sample.split}
    splits = np.array([sample.split or "training" for sample in samples], dtype=object)
    for name, fraction in (("test", 0 if given else test), ("validation", validation)):
        if fraction > 0 and name not in given:
            rest = np.flatnonzero(splits == "training")
            drawn = _draw([samples[i] for i in rest.tolist()], fraction * len(samples), seed)
            splits[rest[drawn]] = name
    found = [replace(s, split=split) for s, split in zip(samples, splits, strict=True)]
    unseen = {s.label for s in found} - {s.label for s in found if s.split == "training"}
    if unseen:
        raise DataError(
            f"no training picture of {', '.join(sorted(unseen))}: raise --min-images, or split "
            "with other fractions or another --seed"
        )
    return found


def _draw(samples: Sequence[Sample], count: float, seed: int) -> np.ndarray:
    """Indices of a part of about `count` samples with the class frequencies of all."""
    from sklearn.model_selection import StratifiedGroupKFold  # takes seconds to import

    labels = [sample.label for sample in samples]
    groups = [sample.group or str(sample.path) for sample in samples]
    most = min(max(Counter(labels).values()), len(set(groups)))
    if most < 2:
        raise DataError(f"{len(samples)} pictures in {len(set(groups))} groups cannot be split")
    parts = min(max(2, round(len(samples) / count)), most)
    folds = StratifiedGroupKFold(parts, shuffle=True, random_state=seed)
    drawn = [chosen for _, chosen in folds.split(labels, labels, groups)]
    return min(drawn, key=lambda chosen: _imbalance(labels, chosen, parts))


def _imbalance(labels: Sequence[str], chosen: np.ndarray, parts: int) -> float:
    """Distance of a part's class counts from an even split, summed over the classes.

    The folds differ: the largest group takes up most of its fold.
    """
    wanted = Counter(labels)
    got = Counter(labels[index] for index in chosen)
    return sum(abs(got[label] - count / parts) for label, count in wanted.items())


def stratified_split(labels: np.ndarray, *, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two disjoint, sorted index arrays that cover `labels`; the second holds `count` of them.

    Each class gives the second its fraction, rounded; what rounding leaves is drawn at random.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(labels))
    ranks = np.empty(len(labels))
    for label in np.unique(labels):
        members = order[labels[order] == label]
        ranks[members] = (np.arange(len(members)) + 0.5) / len(members)
    chosen = order[np.argsort(ranks[order], kind="stable")]
    return np.sort(chosen[count:]), np.sort(chosen[:count])


def crossing_groups(samples: Sequence[Sample]) -> list[str]:
    """Groups with samples in more than one split."""
    splits: defaultdict[str, set[str]] = defaultdict(set)
    for sample in samples:
        if sample.group:
            splits[sample.group].add(sample.split)
    return sorted(group for group, found in splits.items() if len(found) > 1)
