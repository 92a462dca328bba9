"""Lists of labelled pictures: from one folder per class, or from a CSV file."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from preprocessing.errors import DataError, text_errors
from preprocessing.images.pictures import SUFFIXES

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
