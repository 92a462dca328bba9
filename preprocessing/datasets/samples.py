"""Lists of labelled pictures: from a folder a class, or from a CSV file."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from preprocessing.errors import DataError, text_errors
from preprocessing.images.pictures import SUFFIXES

SPLITS = ("training", "validation", "test")
FOLDER_NAMES = {"train": "training", "val": "validation", "valid": "validation"}
INDEX = "index.csv"  # of a data set that preprocessing.builders.photo_dataset wrote
COLUMNS = ("path", "label", "group", "split")


@dataclass(frozen=True)
class Sample:
    """One labelled picture.

    Attributes:
        group: pictures of one product, sender or shoot share it; they stay on one side of a split.
        split: a name of SPLITS, or empty where none is given.
    """

    path: Path
    label: str
    group: str = ""
    split: str = ""


def read_samples(source: Path, *, group_column: str = "group") -> list[Sample]:
    """The samples of a CSV file, a built data set or a folder a class.

    Raises:
        DataError: there is nothing of that kind, or the CSV lacks a column.
    """
    if source.is_file():
        return read_csv(source, group_column=group_column)
    if not source.is_dir():
        raise DataError(f"no data set {source}: name a folder with a folder a class, or a CSV")
    if (source / INDEX).is_file():
        return read_csv(source / INDEX, group_column=group_column)
    return read_folders(source)


def read_folders(root: Path) -> list[Sample]:
    """One class a folder; under folders train, validation and test, those are the splits.

    Raises:
        DataError: no pictures in any folder.
    """
    named = {child.name: child for child in sorted(root.iterdir()) if child.is_dir()}
    parts = {FOLDER_NAMES.get(name, name): folder for name, folder in named.items()}
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
        raise DataError(f"no pictures in {root}: wanted a folder a class with pictures inside")
    return samples


def read_csv(path: Path, *, group_column: str = "group") -> list[Sample]:
    """Rows `path,label[,group][,split]`; paths are relative to the CSV's folder, or absolute.

    Raises:
        DataError: a column is missing, a row is cut short, or there is no row.
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
    """Raises DataError if more than the share `max_bad` of `count` pictures is bad."""
    if bad > max_bad * count:
        raise DataError(
            f"{bad} of {count} pictures are missing or unreadable, more than "
            f"--max-bad {max_bad:g}; the first: {first}"
        )
