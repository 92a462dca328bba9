"""Analyses or augments an attribute table.

`python -m preprocessing.builders.attribute_views analyse`

`analyse` writes attributes.md and attributes.png; `augment` writes changed copies of the pictures
and a table for them into a new folder. Neither touches the table that it reads.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import matplotlib

matplotlib.use("Agg")  # files only: never needs a display

import matplotlib.pyplot as plt
import numpy as np
from tqdm import tqdm

from preprocessing.command import exit_status
from preprocessing.datasets.attribute_table import (
    MISSING,
    AttributeTable,
    read_table,
    write_table,
)
from preprocessing.errors import DataError, UsageError
from preprocessing.images.pictures import picture_paths, read_picture, write_image

SHOWN = 5  # names of each kind of trouble in the report
COMMANDS = {
    "analyse": "counts, gaps and contradictions as Markdown and a plot",
    "augment": "crops, flips and normalised copies, with their rows",
}
CROP = 0.875  # of a picture's side, that crops keep (224 of 256)


@dataclass(frozen=True)
class Analysis:
    """What a table holds, and what is wrong with it.

    Attributes:
        counts: for each attribute the rows of each class.
        missing: for each attribute the rows that do not know it.
        missing_in_row: how many rows miss 0, 1, ... attributes.
        baselines: for each attribute the share of its largest class among known rows.
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


def analyse(table: AttributeTable, images: Path | None) -> Analysis:
    """Count what the table and the folder of its pictures hold."""
    unknown = table.values == MISSING
    counts = tuple(
        np.bincount(column[column != MISSING], minlength=len(attribute))
        for attribute, column in zip(table.attributes, table.values.T, strict=True)
    )
    there = {path.name for path in picture_paths(images)} if images else set()
    listed = {Path(name).name for name in table.names}
    return Analysis(
        table,
        counts,
        missing=unknown.sum(axis=0),
        missing_in_row=np.bincount(unknown.sum(axis=1), minlength=len(table.attributes) + 1),
        baselines=np.array([count.max() / max(1, count.sum()) for count in counts]),
        repeated=tuple(table.repeated()),
        conflicting=tuple(table.conflicts()),
        absent=tuple(sorted(listed - there)) if images else (),
        unlisted=tuple(sorted(there - listed)),
    )


def report(found: Analysis, *, title: str) -> str:
    """The analysis as Markdown."""
    table = found.table
    lines = [f"# {title}", "",
             f"{len(table)} rows, {len(set(table.names))} names; rows with this many attributes "
             "missing: " + ", ".join(f"{k}: {n}" for k, n in enumerate(found.missing_in_row)),
             "", "| attribute | classes | missing | largest class, of known rows |",
             "|---|---|---|---|"]  # fmt: skip
    for attribute, count, missing, share in zip(
        table.attributes, found.counts, found.missing, found.baselines, strict=True
    ):
        classes = ", ".join(
            f"{title} {n}" for title, n in zip(attribute.titles, count, strict=True)
        )
        lines.append(f"| {attribute.name} | {classes} | {missing} ({missing / len(table):.1%}) "
                     f"| {attribute.titles[count.argmax()]} {share:.1%} |")  # fmt: skip
    troubles = (
        ("names in several rows", found.repeated),
        ("of those, with different labels", found.conflicting),
        ("names without a picture", found.absent),
        ("pictures without a row", found.unlisted),
    )
    lines += ["", *(_trouble(what, names) for what, names in troubles)]
    return "\n".join(lines) + "\n"


def _trouble(what: str, names: tuple[str, ...]) -> str:
    more = ", ..." if len(names) > SHOWN else ""
    shown = f" ({', '.join(names[:SHOWN])}{more})" if names else ""
    return f"- {what}: {len(names)}{shown}"


def plot(path: Path, found: Analysis) -> None:
    """Bars of the classes of each attribute, missing ones in grey."""
    count = len(found.counts)
    figure, panels = plt.subplots(1, count, figsize=(1 + 4 * count, 4), layout="constrained",
                                  squeeze=False)  # fmt: skip
    for axes, attribute, values, missing in zip(
        panels[0], found.table.attributes, found.counts, found.missing, strict=True
    ):
        names = [*attribute.titles, "missing"]
        bars = axes.bar(names, [*values, missing], color=["#0072b2"] * len(values) + ["#999999"])
        axes.bar_label(bars, fontsize=8)
        axes.set_title(attribute.name)
        axes.tick_params(axis="x", rotation=45)
    figure.savefig(path, dpi=100)
    plt.close(figure)


def _same(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return image


def _centre_crop(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return _cropped(image, 0.5, 0.5)


def _random_crop(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return _cropped(image, *rng.uniform(size=2))


def _cropped(image: np.ndarray, down: float, across: float) -> np.ndarray:
    """CROP of each side; `down` and `across` are shares of the room that is left."""
    height, width = (max(1, round(CROP * side)) for side in image.shape[:2])
    top = round(down * (image.shape[0] - height))
    left = round(across * (image.shape[1] - width))
    return image[top : top + height, left : left + width]


def _flipped(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return image[:, ::-1]


def _normalised(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each channel stretched over the whole range."""
    return cv2.normalize(image, None, 0, 255, cv2.NORM_MINMAX)


CHANGES: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "_center_cropped": _centre_crop,
    "_random_cropped": _random_crop,
    "_horizontal_flipped": _flipped,
    "_normalized": _normalised,
}


def augment(table: AttributeTable, images: Path, out: Path, *, seed: int) -> tuple[int, list[str]]:
    """Write every present picture and its changed copies, with their rows; their count, and what
    could not be read.

    Raises:
        DataError: no row's picture is there.
    """
    (out / "images").mkdir(parents=True)
    rng, kept, names, bad = np.random.default_rng(seed), [], [], []
    for row, name in enumerate(tqdm(table.names, "augment", disable=None)):
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
            kept.append(row)
            names.append(new)
    if not kept:
        raise DataError(f"none of the table's pictures is in {images}")
    # The copies keep their picture's group, so that no split tears them apart.
    write_table(out / "attributes.csv", replace(table.take(kept), names=tuple(names)))
    return len(kept), bad


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m preprocessing.builders.attribute_views",
        description="Look at a table of attributes, or write changed copies of its pictures.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, what in COMMANDS.items():
        add = commands.add_parser(name, help=what, description=what).add_argument
        add("--table", type=Path, required=True, metavar="CSV", help="file name and attributes")
        add("--label-map", type=Path, metavar="JSON", help='{"neck": {"0": "henley", ...}, ...}')
        add("--images", type=Path, required=name == "augment", metavar="DIR", help="its pictures")
        add("--out", type=Path, required=name == "augment", default=None if name == "augment"
            else Path("out"), help="folder to write to")  # fmt: skip
        if name == "augment":
            add("--seed", type=int, default=0, help="of the random crops (default 0)")
    args = parser.parse_args(argv)
    return exit_status(lambda: _run(args))


def _run(args: argparse.Namespace) -> int:
    table = read_table(args.table, label_map=args.label_map)
    if args.images and not args.images.is_dir():
        raise DataError(f"no folder {args.images}")
    if args.command == "augment":
        if args.out.exists() and any(args.out.iterdir()):
            raise UsageError(f"--out {args.out} is not empty: name a new folder")
        count, bad = augment(table, args.images, args.out, seed=args.seed)
        for line in bad:
            print(line, file=sys.stderr)
        print(f"wrote {count} pictures to {args.out}/images, and attributes.csv")
        return 0
    found = analyse(table, args.images)
    text = report(found, title=args.table.name)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "attributes.md").write_text(text, encoding="utf-8")
    plot(args.out / "attributes.png", found)
    print(f"{text}\nwrote {args.out}/attributes.md and attributes.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
