"""Fits what bare limbs say of garments: `python -m training.parsing.fit_limbs`.

The masks name the garments and show the skin beside them, `training.inference.pose` finds the limbs
under them. The numbers that it prints stand in `realtime.analysis.fusion`.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm

from preprocessing.builders.garment_crops import named_regions
from preprocessing.builders.layer_boxes import TEST_FROM, VALIDATION_FROM, masked_photos, read_names
from preprocessing.command import exit_status
from preprocessing.errors import DataError
from preprocessing.images.class_maps import bare_share, mask_table
from preprocessing.images.pictures import read_picture
from preprocessing.images.regions import Region
from preprocessing.labels import BARE_OR_COVERED
from training.inference.pose import PeopleFinder, limbs_under
from training.inference.pose_files import checked

HIDING = {"outwear", "dress"}  # kinds that are worn over sleeves
LEAST = 0.01  # of the photo, that a garment covers
# What is fitted: a limb, and the columns of `Seen` that speak for it.
EVIDENCE = (("forearms", ("beside",)), ("forearms", ("beside", "bare")), ("shins", ("bare",)))


@dataclass(frozen=True)
class Seen:
    """A garment and a limb of its wearer.

    Attributes:
        beside: the skin beside it, as `Region.bare` has it.
        bare: share of the limb that it leaves bare; nan where the limb is not seen.
        leaves: whether it is of a kind that leaves the limb bare.
        learnt: whether it is one to train on, else one to validate on.
    """

    limb: str
    beside: float
    bare: float
    leaves: bool
    learnt: bool


def read_garments(folder: Path) -> list[Seen]:
    """The garments of all photos that are not for testing, of kinds that bare limbs speak of.

    Raises:
        DataError: no labels.csv, a mask is missing, or there are no such garments.
        WeightsError: the networks that see joints are not installed.
    """
    names, finder, found = read_names(folder), PeopleFinder(*checked()), []
    table = mask_table(names)
    for number, path, mask in tqdm(list(masked_photos(folder)), "photos", disable=None):
        if number >= TEST_FROM:
            continue
        people = finder(read_picture(path))
        marked = [
            (label, region)
            for _, label, region in named_regions(mask, names)
            if np.count_nonzero(region.mask) >= LEAST * mask.size
        ]
        hidden = bool(HIDING & {label for label, _ in marked})
        for label, region in marked:
            limbs, beside = limbs_under(region, people), _beside(region, table[mask])
            for limb, kinds in BARE_OR_COVERED.items():
                if label in (*kinds[0], *kinds[1]) and not (limb == "forearms" and hidden):
                    bare = 1 - limbs.get(limb, np.nan)
                    leaves, learnt = label in kinds[0], number < VALIDATION_FROM
                    found.append(Seen(limb, beside, bare, leaves, learnt))
    if not found:
        raise DataError(f"{folder} shows no garment that arms or legs could speak of")
    return found


def _beside(region: Region, classes: np.ndarray) -> float:
    x1, y1, x2, y2 = region.window
    cover = np.zeros(classes.shape, bool)
    cover[y1:y2, x1:x2] = region.mask > 0
    return bare_share(classes, cover) or 0.0


def fit(garments: list[Seen], columns: tuple[str, ...]) -> str:
    """Log-odds of kinds that leave the limb bare, both kinds weighing alike, in words."""
    values = np.array([[getattr(one, name) for name in columns] for one in garments])
    leaves, learnt = (np.array([getattr(one, n) for one in garments]) for n in ("leaves", "learnt"))
    model = LogisticRegression(C=100, class_weight="balanced").fit(values[learnt], leaves[learnt])
    terms = [f"{w:.1f} x {name}" for w, name in zip(model.coef_[0], columns, strict=True)]
    right = model.predict(values) == leaves
    parts = (("learnt", learnt), ("others", ~learnt))
    shares = [f"{right[part].mean():.1%} of {part.sum()} {n}" for n, part in parts if part.any()]
    return f"{' + '.join(terms)} {model.intercept_[0]:+.2f}; right for {' and '.join(shares)}"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.parsing.fit_limbs",
        description="Fit the odds of garments that leave forearms and shins bare.",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="photos/, masks/ "
                        "and labels.csv")  # fmt: skip
    args = parser.parse_args(argv)

    def command() -> int:
        garments = read_garments(args.data)
        for limb, columns in EVIDENCE:
            some = [one for one in garments if one.limb == limb]
            some = [one for one in some if "bare" not in columns or np.isfinite(one.bare)]
            print(f"{limb}: {fit(some, columns)}")
        return 0

    return exit_status(command)


if __name__ == "__main__":
    sys.exit(main())
