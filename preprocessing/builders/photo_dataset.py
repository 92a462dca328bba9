"""Builds a data set of labelled pictures: checked, split, indexed.

`python -m preprocessing.builders.photo_dataset SOURCE --out DIR`

Reads every picture, drops and caps classes, splits, and searches for near-duplicates across the
splits. Writes index.csv, mapping.json, report.md, bad.csv and classes.png; the pictures themselves
are never changed.
"""

import csv
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from tqdm import tqdm

from preprocessing.datasets import deepfashion
from preprocessing.datasets.duplicates import near_duplicates, perceptual_hash
from preprocessing.datasets.samples_and_splits import (
    INDEX,
    SPLITS,
    Rules,
    Sample,
    crossing_groups,
    read_csv,
    read_samples,
    refuse_bad,
    split_samples,
    write_csv,
)
from preprocessing.errors import DataError, UsageError, exit_status
from preprocessing.flags import Flag, add_fields, data_arguments, read_fields
from preprocessing.images.pictures import read_picture
from preprocessing.processes import process_pool

MAPPING, BAD, REPORT = "mapping.json", "bad.csv", "report.md"


@dataclass(frozen=True, kw_only=True)
class PhotoDatasetSettings(Rules):
    """The flags of the command."""

    source: Annotated[
        Path,
        Flag("folder with one folder per class (or train, validation and test of such), a CSV "
             "path,label[,group][,split], or a DeepFashion folder with its lists", name="source"),
    ]  # fmt: skip
    out: Annotated[Path, Flag("folder to write the data set to", metavar="DIR")]
    seed: Annotated[int, Flag("seed of sampling and splits", metavar="N")] = 0


@dataclass(frozen=True, eq=False)
class DataSet:
    """Checked and split samples.

    Attributes:
        classes: names in the order of their ids, alphabetical.
        bad: path and reason of every picture that is missing or unreadable, and left out.
        dropped: classes below the minimum, with their counts.
        duplicates: pairs of nearly identical samples in different splits.
        crossing: groups that the source itself put into several splits.
    """

    samples: tuple[Sample, ...]
    classes: tuple[str, ...]
    bad: tuple[tuple[Path, str], ...]
    dropped: dict[str, int]
    duplicates: tuple[tuple[Sample, Sample], ...]
    crossing: tuple[str, ...]

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        """Samples by (label, split)."""
        return Counter((sample.label, sample.split) for sample in self.samples)

    def of(self, split: str) -> list[Sample]:
        """The samples of one split."""
        return [sample for sample in self.samples if sample.split == split]


def read_source(source: Path, *, group_column: str = "group") -> list[Sample]:
    """Read DeepFashion's lists, a CSV, or a folder with one folder per class.

    Raises:
        DataError: see `read_samples` and `deepfashion.read_samples`.
    """
    if deepfashion.find_list(source, deepfashion.CATEGORIES):
        return deepfashion.read_samples(source)
    return read_samples(source, group_column=group_column)


def build(samples: Sequence[Sample], rules: Rules) -> DataSet:
    """Check and split samples.

    Raises:
        DataError: too many bad pictures, fewer than two classes, or a class that cannot be split.
    """
    labels = {sample.label for sample in samples}
    unknown = set(rules.classes) - labels
    if unknown:
        have = ", ".join(sorted(labels))
        raise DataError(f"no class {', '.join(sorted(unknown))}: have {have}")
    samples = [s for s in samples if not rules.classes or s.label in rules.classes]
    hashes, bad = check(samples)
    _refuse(bad, samples, rules.max_bad)
    counts = Counter(sample.label for sample in samples if sample.path in hashes)
    dropped = {label: n for label, n in sorted(counts.items()) if n < rules.min_images}
    kept = [s for s in samples if s.path in hashes and s.label not in dropped]
    classes = tuple(sorted({sample.label for sample in kept}))
    if len(classes) < 2:
        raise DataError(
            f"{len(classes)} class{'es' * (not classes)} with at least {rules.min_images} "
            f"pictures (--min-images), wanted 2 or more; found {dict(counts) or 'none'}"
        )
    kept = split_samples(
        _cap(kept, rules), validation=rules.validation, test=rules.test, seed=rules.seed
    )
    pairs = near_duplicates([hashes[sample.path] for sample in kept])
    crossing = tuple((kept[a], kept[b]) for a, b in pairs if kept[a].split != kept[b].split)
    groups = tuple(crossing_groups(kept))
    return DataSet(tuple(kept), classes, tuple(bad), dropped, crossing, groups)


def check(samples: Sequence[Sample]) -> tuple[dict[Path, int], list[tuple[Path, str]]]:
    """Perceptual hashes of the readable pictures; path and reason of every other one."""
    hashes, bad = {}, []
    paths = list(dict.fromkeys(sample.path for sample in samples))
    with process_pool() as pool:
        found = pool.map(_hash_or_reason, paths, chunksize=32)
        for path, result in tqdm(
            zip(paths, found, strict=True), "checking", len(paths), disable=None, leave=False
        ):
            if isinstance(result, int):
                hashes[path] = result
            else:
                bad.append((path, result))
    return hashes, bad


def _hash_or_reason(path: Path) -> int | str:
    try:
        return perceptual_hash(read_picture(path))
    except DataError as error:
        return str(error)


def _cap(samples: list[Sample], rules: Rules) -> list[Sample]:
    """At most `max_images` of each class, drawn at random, in their original order."""
    if rules.max_images is None:
        return samples
    rng = np.random.default_rng(rules.seed)
    by_label: dict[str, list[int]] = {}
    for index, sample in enumerate(samples):
        by_label.setdefault(sample.label, []).append(index)
    chosen = [
        index
        for _, members in sorted(by_label.items())
        for index in rng.permutation(members)[: rules.max_images]
    ]
    return [samples[index] for index in sorted(chosen)]


def write(data_set: DataSet, folder: Path) -> str:
    """Write a data set into a folder; return the text of its report."""
    write_index(folder, data_set.samples, data_set.classes)
    with (folder / BAD).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "reason"), *data_set.bad])
    text = describe(data_set)
    (folder / REPORT).write_text(text + "\n")
    plot_classes(folder / "classes.png", data_set)
    return text


def plot_classes(path: Path, data_set: DataSet) -> None:
    """Write a stacked bar of pictures per class and split."""
    from matplotlib.figure import Figure  # takes a second to import

    figure = Figure(figsize=(8, 1 + 0.3 * len(data_set.classes)), layout="constrained")
    axes, left = figure.subplots(), np.zeros(len(data_set.classes))
    for split in SPLITS:
        widths = np.array([data_set.counts[name, split] for name in data_set.classes])
        axes.barh(data_set.classes, widths, left=left, label=split)
        left += widths
    axes.invert_yaxis()
    axes.set_xlabel("pictures")
    axes.legend()
    figure.savefig(path, dpi=110)


def write_index(folder: Path, samples: Sequence[Sample], classes: Sequence[str]) -> None:
    """Write the files that `read` reads: the samples, and the classes in the order of their ids."""
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(folder / INDEX, samples)
    mapping = {name: number for number, name in enumerate(classes)}
    (folder / MAPPING).write_text(
        json.dumps(mapping, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def read(folder: Path, *, max_bad: float) -> DataSet:
    """Read a data set of `write`; pictures that have vanished since are left out and listed.

    Raises:
        DataError: the index is missing or damaged, or too many pictures have vanished.
    """
    try:
        classes = tuple(json.loads((folder / MAPPING).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise DataError(
            f"no data set in {folder} ({error}): see preprocessing.builders.photo_dataset"
        ) from error
    samples = read_csv(folder / INDEX)
    unknown = {sample.label for sample in samples} - set(classes)
    if unknown:
        raise DataError(f"{folder / INDEX}: label {min(unknown)!r} is not in {MAPPING}")
    bad = [(s.path, f"no picture {s.path}") for s in samples if not s.path.is_file()]
    _refuse(bad, samples, max_bad)
    missing = {path for path, _ in bad}
    kept = tuple(sample for sample in samples if sample.path not in missing)
    return DataSet(kept, classes, tuple(bad), {}, (), tuple(crossing_groups(kept)))


def _refuse(bad: Sequence[tuple[Path, str]], samples: Sequence[Sample], max_bad: float) -> None:
    first = bad[0][1] if bad else ""
    refuse_bad(len(bad), len(samples), max_bad=max_bad, first=first)


def describe(data_set: DataSet) -> str:
    """Counts, left-out pictures and leaks between the splits, as Markdown."""
    by_class = data_set.counts
    lines = [f"| class | {' | '.join(SPLITS)} |", "|---|" + "---:|" * len(SPLITS)]
    for name in data_set.classes:
        counts = " | ".join(str(by_class[name, split]) for split in SPLITS)
        lines.append(f"| {name} | {counts} |")
    totals = " | ".join(str(len(data_set.of(split))) for split in SPLITS)
    lines += [f"| **all** | {totals} |", ""]
    dropped = ", ".join(f"{name} ({count})" for name, count in data_set.dropped.items())
    lines += [
        f"- classes dropped for too few pictures: {dropped or 'none'}",
        f"- missing or unreadable pictures: {len(data_set.bad)} (listed in {BAD})",
        f"- groups that the source put into several splits: {len(data_set.crossing)}",
        f"- nearly identical pictures in different splits: {len(data_set.duplicates)}",
    ]
    lines += [f"  - {a.split} `{a.path}`, {b.split} `{b.path}`" for a, b in data_set.duplicates]
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    arguments = data_arguments(
        "preprocessing.builders.photo_dataset",
        "Check, split and index labelled pictures, without changing them.",
        example="photos.csv --group-column sender --out data/flat",
    )
    add_fields(arguments, PhotoDatasetSettings)
    args = arguments.parse(argv)
    return exit_status(lambda: run(read_fields(PhotoDatasetSettings, args)))


def run(settings: PhotoDatasetSettings) -> int:
    """Build a data set and print its report.

    Raises:
        UsageError: the result would be written into the source.
        DataError: see `read_source` and `build`.
    """
    if settings.out.resolve() == settings.source.resolve():
        raise UsageError(f"--out {settings.out} is the source: name another folder")
    samples = read_source(settings.source, group_column=settings.group_column)
    print(write(build(samples, settings), settings.out))
    print(f"wrote {settings.out}/{INDEX}, {MAPPING}, {REPORT}, {BAD}, classes.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
