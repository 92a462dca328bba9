"""Fits how bare arms tell short sleeves from long ones: `python -m training.parsing.sleeves`.

The masks name T-shirts and sweaters; what shows of the person beside them is `Region.bare`. The
numbers that it prints stand in `realtime.naming`.
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from preprocessing.command import exit_status
from preprocessing.errors import DataError
from preprocessing.kinds import PARSED
from preprocessing.layers import TEST_FROM, VALIDATION_FROM, read_names
from preprocessing.parsing import bare_share, mask_table

SHORT, LONG = ("t-shirt",), ("sweater", "sweatshirt", "jumper", "hoodie")
HIDING = ("outer", "dress")  # layers that are worn over sleeves
LEAST = 0.01  # of the photo, that the garment covers
STEPS, SHRINKAGE = 50, 1e-3  # of Newton's method, and its weight decay


def read_shares(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bare shares float64 (N,), whether the sleeves are short, and whether to train on them.

    Raises:
        DataError: no labels.csv, or no such garments there.
    """
    names = read_names(folder)
    table, rows = mask_table(names), []
    for path in sorted((folder / "masks").glob("*.png")):
        if int(path.stem) >= TEST_FROM:
            break
        mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        present = {names.get(int(value), "") for value in np.unique(mask)}
        if any(PARSED.get(name) in HIDING for name in present):
            continue
        for kinds in (SHORT, LONG):
            cover = np.isin(mask, [value for value, name in names.items() if name in kinds])
            if cover.mean() >= LEAST:
                share = bare_share(table[mask], cover)
                rows.append((share or 0.0, kinds is SHORT, int(path.stem) < VALIDATION_FROM))
    if not rows:
        raise DataError(f"{folder} shows no {', '.join((*SHORT, *LONG))} without a coat")
    shares, short, training = zip(*rows, strict=True)
    return np.array(shares), np.array(short), np.array(training)


def fit(shares: np.ndarray, short: np.ndarray) -> tuple[float, float]:
    """Slope and even point of logistic regression with both kinds weighing alike."""
    columns = np.stack([shares, np.ones_like(shares)], axis=1)
    weights = np.where(short, 0.5 / short.mean(), 0.5 / (1 - short.mean()))
    found = np.zeros(2)
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-columns @ found))
        slope = columns.T @ (weights * (short - chance)) - SHRINKAGE * found
        curve = (columns.T * (weights * chance * (1 - chance))) @ columns
        found += np.linalg.solve(curve + SHRINKAGE * np.eye(2), slope)
    return float(found[0]), float(-found[1] / found[0])


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.parsing.sleeves",
        description="Fit the odds of short sleeves by the bare share beside a top.",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="photos/, masks/ "
                        "and labels.csv")  # fmt: skip
    args = parser.parse_args(argv)

    def command() -> int:
        shares, short, training = read_shares(args.data)
        slope, even = fit(shares[training], short[training])
        right = (shares > even) == short
        print(f"log-odds of short sleeves: {slope:.1f} x (bare share - {even:.3f})")
        for name, rows in (("training", training), ("validation", ~training)):
            if rows.any():
                print(f"{name}: {right[rows].mean():.1%} right of {rows.sum()} garments")
        return 0

    return exit_status(command)


if __name__ == "__main__":
    sys.exit(main())
