"""Fits the odds that garments leave limbs bare: `python -m training.parsing.fit_limbs`.

Masks of photos label the garments and show the skin beside them, the pose networks find the limbs
under them. The odds belong to a parser, whose class maps take the place of the masks in the app.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from preprocessing.datasets.parsed_people import class_regions, read_mask_labels, read_parsed_people
from preprocessing.errors import DataError, exit_status
from preprocessing.images.class_maps import bare_fraction, mask_table
from preprocessing.images.pictures import read_picture
from preprocessing.images.regions import Region
from preprocessing.labels import BARE_OR_COVERED
from training.inference.pose import LIMB_ODDS, LimbOdds, PoseEstimator, covered_limbs
from training.inference.pose_files import verified_files
from training.inference.weights import locate_for

HIDES_SLEEVES = {"outwear", "dress"}  # classes that are worn over sleeves
MIN_AREA = 0.01  # of the photo, that a garment covers
DECIMALS = 2


@dataclass(frozen=True)
class LimbObservation:
    """A garment and a limb of its wearer.

    Attributes:
        limb: "forearms" or "shins".
        skin: visible skin beside the garment, as `Region.bare`.
        uncovered: fraction of the limb that the garment leaves bare; nan if it is not visible.
        bare: True if the garment's class leaves the limb bare.
        training: True for the training split, False for validation.
    """

    limb: str
    skin: float
    uncovered: float
    bare: bool
    training: bool


def read_observations(folder: Path) -> list[LimbObservation]:
    """The limbs in all training and validation photos under garments whose class decides on them.

    Raises:
        DataError: no labels.csv, a mask is missing, or there are no such garments.
        WeightsError: the pose networks are not installed.
    """
    names, estimator = read_mask_labels(folder), PoseEstimator(*verified_files())
    table = mask_table(names)
    found: list[LimbObservation] = []
    for photo in tqdm(read_parsed_people(folder), "photos", disable=None):
        if photo.split == "test":
            continue
        mask, poses = photo.mask(), estimator(read_picture(photo.path))
        garments = [
            (name, region)
            for _, name, region in class_regions(mask, names)
            if np.count_nonzero(region.mask) >= MIN_AREA * mask.size
        ]
        sleeves_hidden = bool(HIDES_SLEEVES & {name for name, _ in garments})
        for name, region in garments:
            covered, skin = covered_limbs(region, poses), _skin(region, table[mask])
            for limb, (bare, covering) in BARE_OR_COVERED.items():
                if name in (*bare, *covering) and not (limb == "forearms" and sleeves_hidden):
                    uncovered = 1 - covered.get(limb, np.nan)
                    training = photo.split == "training"
                    found.append(LimbObservation(limb, skin, uncovered, name in bare, training))
    if not found:
        raise DataError(f"{folder} shows no garment of {', '.join(BARE_OR_COVERED)}")
    return found


def _skin(region: Region, classes: np.ndarray) -> float:
    x1, y1, x2, y2 = region.window
    cover = np.zeros(classes.shape, bool)
    cover[y1:y2, x1:x2] = region.mask > 0
    return bare_fraction(classes, cover) or 0.0


def fit(observations: Sequence[LimbObservation], columns: Sequence[str]) -> tuple[float, ...]:
    """Weights of the columns and the intercept of the log-odds of bareness.

    Both outcomes weigh alike. Prints the accuracy on training and validation observations.

    Args:
        columns: fields of LimbObservation, which must not be nan.

    Raises:
        DataError: there is but one outcome to learn from.
    """
    from sklearn.linear_model import LogisticRegression  # takes seconds to import

    values = np.array([[getattr(one, name) for name in columns] for one in observations])
    bare = np.array([one.bare for one in observations])
    training = np.array([one.training for one in observations], bool)
    if len(np.unique(bare[training])) < 2:
        raise DataError("too few photos: wanted bare and covered limbs in the training split")
    model = LogisticRegression(C=100, class_weight="balanced").fit(values[training], bare[training])
    right = model.predict(values) == bare
    for title, part in (("training", training), ("validation", ~training)):
        if part.any():
            print(f"{observations[0].limb} by {' and '.join(columns)}: {right[part].mean():.1%} "
                  f"right of {part.sum()} in {title}")  # fmt: skip
    return tuple(round(float(w), DECIMALS) for w in (*model.coef_[0], model.intercept_[0]))


def fit_odds(observations: Sequence[LimbObservation]) -> LimbOdds:
    """The odds of both limbs; of forearms also without keypoints, by the skin beside a top alone.

    Raises:
        DataError: there are too few observations.
    """
    forearms = [one for one in observations if one.limb == "forearms"]
    shins = [one for one in observations if one.limb == "shins" and np.isfinite(one.uncovered)]
    if not forearms or not shins:
        raise DataError("too few photos: wanted visible forearms and shins")
    visible = [one for one in forearms if np.isfinite(one.uncovered)]
    alone, with_skin = fit(forearms, ["skin"]), fit(visible, ["skin", "uncovered"])
    legs = fit(shins, ["uncovered"])
    return LimbOdds(
        visible={
            "forearms": (with_skin[0], with_skin[1], with_skin[2]),
            "shins": (0.0, legs[0], legs[1]),
        },
        hidden={"forearms": (alone[0], alone[1])},
    )


def main(argv: list[str] | None = None) -> int:
    arguments = argparse.ArgumentParser(
        prog="python -m training.parsing.fit_limbs",
        description="Fit the odds that garments leave forearms and shins bare, and write them "
        "beside a parser's weights.",
    )
    arguments.add_argument(
        "--data", type=Path, required=True, metavar="DIR",
        help="photos of people: photos/, masks/ and labels.csv",
    )  # fmt: skip
    arguments.add_argument(
        "--model", default="parser", help="parser, by name or weight file (default parser)"
    )
    args = arguments.parse_args(argv)
    return exit_status(lambda: _run(args.data, args.model))


def _run(folder: Path, model: str) -> int:
    stem, _ = locate_for("parse", model)
    observations = read_observations(folder)
    origin = f"training.parsing.fit_limbs: {len(observations)} limbs in photos with masks"
    print(f"wrote {LIMB_ODDS.write(fit_odds(observations), stem, origin=origin)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
