"""Lists of labelled pictures, from one folder per class or from a CSV file, and their split.

Splits are stratified and keep each group on one side.
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np

from preprocessing.errors import DataError, UsageError, text_errors
from preprocessing.flags import FRACTION_BELOW_ONE, POSITIVE, Flag
from preprocessing.images.picture_kinds import SUFFIXES

SPLITS = ("training", "validation", "test")
# Other names of splits: of folders, in DeepFashion's lists and in YOLO's layout.
SPLIT_NAMES = {"train": "training", "val": "validation", "valid": "validation", "test": "test"}
INDEX = "index.csv"  # of a data set written by preprocessing.builders.photo_dataset
COLUMNS = ("path", "label", "group", "split")


@dataclass(frozen=True)
class Sample:
    """One labelled picture.

    Attributes:
        group: product, sender or photo session; its pictures stay on one side of a split.
        split: a name of SPLITS, or empty if none is given.
    """

    path: Path
    label: str
    group: str = ""
    split: str = ""


def read_samples(source: Path, *, group_column: str = "group") -> list[Sample]:
    """The samples of a CSV file, a built data set or a folder with one folder per class.

    Raises:
        DataError: there is no such thing, or the CSV lacks a column.
    """
    if source.is_file():
        return read_csv(source, group_column=group_column)
    if not source.is_dir():
        raise DataError(f"no data set {source}: wanted one folder per class in it, or a CSV")
    if (source / INDEX).is_file():
        return read_csv(source / INDEX, group_column=group_column)
    return read_folders(source)


def read_folders(root: Path) -> list[Sample]:
    """One class per folder; the folders may lie in folders train, validation and test.

    Raises:
        DataError: no pictures in any folder.
    """
    named = {child.name: child for child in sorted(root.iterdir()) if child.is_dir()}
    parts = {SPLIT_NAMES.get(name, name): folder for name, folder in named.items()}
    roots = {"": root}
    if "training" in parts:
        roots = {split: parts[split] for split in SPLITS if split in parts}
    samples = [
        Sample(path, label=folder.name, split=split)
        for split, part in roots.items()
        for folder in sorted(part.iterdir())
        if folder.is_dir()
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in SUFFIXES
    ]
    if not samples:
        raise DataError(f"no pictures in {root}: wanted one folder per class with pictures in it")
    return samples


def read_csv(path: Path, *, group_column: str = "group") -> list[Sample]:
    """Rows `path,label[,group][,split]`; paths are relative to the CSV's folder, or absolute.

    Raises:
        DataError: a column is missing, a row is incomplete, or there is no row.
    """
    with path.open(newline="", encoding="utf-8-sig") as file, text_errors(path):
        rows = csv.DictReader(file)
        columns = rows.fieldnames or []
        wanted = ["path", "label"] + ([group_column] if group_column != "group" else [])
        missing = [name for name in wanted if name not in columns]
        if missing:
            raise DataError(
                f"{path} has no column {' and no column '.join(missing)}: it has "
                f"{', '.join(columns) or 'none'}"
            )
        samples = []
        for row in rows:
            if not row["path"] or not row["label"]:
                raise DataError(f"{path}, line {rows.line_num}: no path or no label")
            split = (row.get("split") or "").strip()
            if split and split not in SPLITS:
                raise DataError(
                    f"{path}, line {rows.line_num}: split {split!r} is none of {', '.join(SPLITS)}"
                )
            group = (row.get(group_column) or "").strip()
            samples.append(Sample(path.parent / row["path"], row["label"].strip(), group, split))
    if not samples:
        raise DataError(f"{path} has no rows")
    return samples


def write_csv(path: Path, samples: Iterable[Sample]) -> None:
    """The samples with absolute paths, as `read_csv` reads them."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for sample in samples:
            writer.writerow((sample.path.resolve(), sample.label, sample.group, sample.split))


def refuse_bad(bad: int, count: int, *, max_bad: float, first: str) -> None:
    """Check the number of bad pictures.

    Raises:
        DataError: they are more than the fraction `max_bad` of `count`.
    """
    if bad > max_bad * count:
        raise DataError(
            f"{bad} of {count} pictures are missing or unreadable, more than "
            f"--max-bad {max_bad:g}; the first: {first}"
        )


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
