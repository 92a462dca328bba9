"""Analyses an attribute table, or augments its pictures.

`python -m preprocessing.builders.attribute_views analyse --table CSV`

`analyse` writes attributes.md and attributes.png; `augment` writes changed copies of the pictures
and a table for them into a new folder. Neither changes the table or its pictures.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
from tqdm import tqdm

from preprocessing.datasets.attribute_table import (
    MISSING,
    AttributeTable,
    read_table,
    write_table,
)
from preprocessing.errors import DataError, UsageError, exit_status
from preprocessing.flags import Flag, add_fields, data_arguments, read_fields
from preprocessing.images.pictures import picture_paths, read_picture, write_image

SHOWN = 5  # examples of each problem in the report
CROP = 0.875  # of a picture's side, that crops keep (224 of 256)
BLUE, GREY = "#0072b2", "#999999"  # of bars
ANALYSE, AUGMENT = "analyse", "augment"


@dataclass(frozen=True, kw_only=True)
class AttributeViewSettings:
    """The flags of the command."""

    command: Annotated[
        str,
        Flag(f"{ANALYSE}: write counts, gaps and contradictions as Markdown and a plot; {AUGMENT}: "
             "write crops, flips and normalised copies, with their rows",
             choices=(ANALYSE, AUGMENT), name="command"),
    ]  # fmt: skip
    table: Annotated[
        Path, Flag("attribute table: a file name and one column per attribute", metavar="CSV")
    ]
    label_map: Annotated[
        Path | None, Flag('titles of codes: {"neck": {"0": "henley", ...}, ...}', metavar="JSON")
    ] = None
    images: Annotated[
        Path | None, Flag(f"folder of the pictures; {AUGMENT} requires it", metavar="DIR")
    ] = None
    out: Annotated[
        Path | None, Flag(f"folder to write to; {AUGMENT} requires a new one", metavar="DIR",
                          default="out")
    ] = None  # fmt: skip
    seed: Annotated[int, Flag(f"seed of the random crops of {AUGMENT}", metavar="N")] = 0


@dataclass(frozen=True)
class TableStatistics:
    """Counts and problems of a table.

    Attributes:
        counts: rows of each class, by attribute.
        missing: rows without a value, by attribute (A,).
        missing_in_row: number of rows that lack 0, 1, ... attributes (A + 1,).
        baselines: fraction of the largest class among known rows, by attribute (A,).
        repeated, conflicting: names in several rows; those whose rows differ.
        absent, unlisted: names without a picture; pictures without a row.
    """

    table: AttributeTable
    counts: tuple[np.ndarray, ...]
    missing: np.ndarray
    missing_in_row: np.ndarray
    baselines: np.ndarray
    repeated: tuple[str, ...]
    conflicting: tuple[str, ...]
    absent: tuple[str, ...]
    unlisted: tuple[str, ...]


def analyse(table: AttributeTable, images: Path | None) -> TableStatistics:
    """Compare a table with the folder of its pictures, and count its classes and gaps."""
    unknown = table.values == MISSING
    counts = tuple(
        np.bincount(column[column != MISSING], minlength=len(attribute))
        for attribute, column in zip(table.attributes, table.values.T, strict=True)
    )
    present = {path.name for path in picture_paths(images)} if images else set()
    listed = {Path(name).name for name in table.names}
    return TableStatistics(
        table,
        counts,
        missing=unknown.sum(axis=0),
        missing_in_row=np.bincount(unknown.sum(axis=1), minlength=len(table.attributes) + 1),
        baselines=np.array([count.max() / max(1, count.sum()) for count in counts]),
        repeated=tuple(table.repeated()),
        conflicting=tuple(table.conflicts()),
        absent=tuple(sorted(listed - present)) if images else (),
        unlisted=tuple(sorted(present - listed)),
    )


def report(found: TableStatistics, *, title: str) -> str:
    """The statistics as Markdown."""
    table = found.table
    lines = [f"# {title}", "",
             f"{len(table)} rows, {len(set(table.names))} names; rows with this many attributes "
             "missing: " + ", ".join(f"{k}: {n}" for k, n in enumerate(found.missing_in_row)),
             "", "| attribute | classes | missing | largest class, of known rows |",
             "|---|---|---|---|"]  # fmt: skip
    for attribute, count, missing, baseline in zip(
        table.attributes, found.counts, found.missing, found.baselines, strict=True
    ):
        classes = ", ".join(
            f"{title} {n}" for title, n in zip(attribute.titles, count, strict=True)
        )
        lines.append(f"| {attribute.name} | {classes} | {missing} ({missing / len(table):.1%}) "
                     f"| {attribute.titles[count.argmax()]} {baseline:.1%} |")  # fmt: skip
    problems = (
        ("names in several rows", found.repeated),
        ("of those, with different labels", found.conflicting),
        ("names without a picture", found.absent),
        ("pictures without a row", found.unlisted),
    )
    lines += ["", *(_problem(title, names) for title, names in problems)]
    return "\n".join(lines) + "\n"


def _problem(title: str, names: tuple[str, ...]) -> str:
    more = ", ..." if len(names) > SHOWN else ""
    shown = f" ({', '.join(names[:SHOWN])}{more})" if names else ""
    return f"- {title}: {len(names)}{shown}"


def plot(path: Path, found: TableStatistics) -> None:
    """Write the bars of each attribute's classes, missing values in grey."""
    from matplotlib.figure import Figure  # takes a second to import

    count = len(found.counts)
    figure = Figure(figsize=(1 + 4 * count, 4), layout="constrained")
    panels = figure.subplots(1, count, squeeze=False)[0]
    for axes, attribute, values, missing in zip(
        panels, found.table.attributes, found.counts, found.missing, strict=True
    ):
        colours = [BLUE] * len(values) + [GREY]
        bars = axes.bar([*attribute.titles, "missing"], [*values, missing], color=colours)
        axes.bar_label(bars, fontsize=8)
        axes.set_title(attribute.name)
        axes.tick_params(axis="x", rotation=45)
    figure.savefig(path, dpi=100)


def _same(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return image


def _centre_crop(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return _cropped(image, 0.5, 0.5)


def _random_crop(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return _cropped(image, *rng.uniform(size=2))


def _cropped(image: np.ndarray, down: float, across: float) -> np.ndarray:
    """A crop of CROP of each side; `down` and `across`, 0 to 1, place it in the picture."""
    height, width = (max(1, round(CROP * side)) for side in image.shape[:2])
    top = round(down * (image.shape[0] - height))
    left = round(across * (image.shape[1] - width))
    return image[top : top + height, left : left + width]


def _flipped(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return image[:, ::-1]


def _normalised(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each channel stretched over the whole range."""
    return cv2.normalize(image, np.empty_like(image), 0, 255, cv2.NORM_MINMAX)


CHANGES: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "_center_cropped": _centre_crop,
    "_random_cropped": _random_crop,
    "_horizontal_flipped": _flipped,
    "_normalized": _normalised,
}


def augment(table: AttributeTable, images: Path, out: Path, *, seed: int) -> tuple[int, list[str]]:
    """Write every present picture and its changed copies, with their rows.

    Returns:
        The number of pictures, and a line for each one that cannot be read.

    Raises:
        DataError: no row's picture is present.
    """
    (out / "images").mkdir(parents=True)
    rng = np.random.default_rng(seed)
    rows: list[int] = []
    names: list[str] = []
    bad: list[str] = []
    for row, name in enumerate(tqdm(table.names, AUGMENT, disable=None)):
        path = images / name
        if not path.is_file():
            continue
        try:
            image = read_picture(path)
        except DataError as error:
            bad.append(str(error))
            continue
        for suffix, change in {"": _same, **CHANGES}.items():
            new = f"{Path(name).stem}{suffix}{Path(name).suffix}"
            write_image(out / "images" / new, np.ascontiguousarray(change(image, rng)))
            rows.append(row)
            names.append(new)
    if not rows:
        raise DataError(f"none of the table's pictures is in {images}")
    # The copies keep their picture's group, so that no split separates them.
    write_table(out / "attributes.csv", replace(table.take(rows), names=tuple(names)))
    return len(rows), bad


def main(argv: list[str] | None = None) -> int:
    arguments = data_arguments(
        "preprocessing.builders.attribute_views",
        "Analyse an attribute table, or write changed copies of its pictures.",
        example="augment --table attributes.csv --images photos --out more",
    )
    add_fields(arguments, AttributeViewSettings)
    args = arguments.parse(argv)
    return exit_status(lambda: run(read_fields(AttributeViewSettings, args)))


def run(settings: AttributeViewSettings) -> int:
    """Run one of the two commands.

    Raises:
        UsageError: a flag is missing, or the folder to write to is not empty.
        DataError: the table or its pictures are missing or broken.
    """
    table = read_table(settings.table, label_map=settings.label_map)
    if settings.images and not settings.images.is_dir():
        raise DataError(f"no folder {settings.images}")
    if settings.command == AUGMENT:
        return _write_copies(table, settings)
    return _write_report(table, settings)


def _write_copies(table: AttributeTable, settings: AttributeViewSettings) -> int:
    if settings.images is None or settings.out is None:
        raise UsageError(f"{AUGMENT} needs --images and --out")
    if settings.out.exists() and any(settings.out.iterdir()):
        raise UsageError(f"--out {settings.out} is not empty: name a new folder")
    count, bad = augment(table, settings.images, settings.out, seed=settings.seed)
    for line in bad:
        print(line, file=sys.stderr)
    print(f"wrote {count} pictures to {settings.out}/images, and attributes.csv")
    return 0


def _write_report(table: AttributeTable, settings: AttributeViewSettings) -> int:
    found = analyse(table, settings.images)
    text = report(found, title=settings.table.name)
    out = settings.out or Path("out")
    out.mkdir(parents=True, exist_ok=True)
    (out / "attributes.md").write_text(text, encoding="utf-8")
    plot(out / "attributes.png", found)
    print(f"{text}\nwrote {out}/attributes.md and attributes.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
