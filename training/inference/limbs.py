"""Limbs as evidence: sleeve and leg length from what a worn garment covers of its wearer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from preprocessing.images.regions import Region
from training.inference.fitted import FittedFile
from training.inference.pose import Pose

Lines = Sequence[tuple[int, int]]
# Lines between keypoints by their numbers, left and right.
FOREARMS, SHINS = ((13, 15), (14, 16)), ((25, 27), (26, 28))
TORSO, THIGHS = ((11, 23), (12, 24)), ((23, 25), (24, 26))
# By limb: its lines, and the lines that a garment covers of whoever wears it.
LIMBS: dict[str, tuple[Lines, Lines]] = {"forearms": (FOREARMS, TORSO), "shins": (SHINS, THIGHS)}
SAMPLES = np.linspace(0.2, 0.8, 7)  # along a line: away from hands, feet, and cloth that slips
MIN_VISIBILITY = 0.5  # of a keypoint
MIN_WORN = 0.5  # fraction of torso or thighs that a garment covers of its wearer


@dataclass(frozen=True)
class LimbOdds:
    """Log-odds that a worn garment is of a class that leaves a limb bare.

    The defaults are no evidence at all.

    Attributes:
        visible: for each limb whose keypoints are visible: the weights of the skin beside the
            garment (`Region.bare`) and of the limb's bare fraction, and the intercept.
        hidden: for each limb whose keypoints are not: the weight of the skin, and the intercept.
        limit: largest absolute log-odds of one limb; 2.2 is 9 to 1.
    """

    visible: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    hidden: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    limit: float = 2.2

    def __call__(self, region: Region) -> dict[str, float]:
        """The log-odds of a region by limb; none for a garment that nobody wears."""
        if region.bare is None:
            return {}
        odds = {
            limb: skin * region.bare + intercept for limb, (skin, intercept) in self.hidden.items()
        }
        for limb, covered in region.limbs.items():
            if limb in self.visible:
                skin, limb_weight, intercept = self.visible[limb]
                odds[limb] = skin * region.bare + limb_weight * (1 - covered) + intercept
        return {limb: float(np.clip(one, -self.limit, self.limit)) for limb, one in odds.items()}


LIMB_ODDS = FittedFile(
    "limbs", LimbOdds(), "python -m training.parsing.fit_limbs --model {0} --data DIR"
)


def covered_limbs(region: Region, poses: Sequence[Pose]) -> dict[str, float]:
    """The fractions of its wearer's visible limbs that a garment covers: see `Region.limbs`."""
    found = {}
    for name, (limb, body) in LIMBS.items():
        worn = [covered_fraction(region, pose, body) or 0.0 for pose in poses]
        if worn and max(worn) >= MIN_WORN:
            fraction = covered_fraction(region, poses[int(np.argmax(worn))], limb)
            if fraction is not None:
                found[name] = fraction
    return found


def covered_fraction(region: Region, pose: Pose, lines: Lines) -> float | None:
    """The fraction of lines between keypoints that a region covers; None if none is visible."""
    visible = [line for line in lines if min(pose.visibility[list(line)]) >= MIN_VISIBILITY]
    if not visible:
        return None
    first, last = (pose.keypoints[[line[end] for line in visible], None] for end in (0, 1))
    x, y = (first + (last - first) * SAMPLES[:, None]).reshape(-1, 2).T.astype(int)
    left, top, right, bottom = region.window
    inside = (x >= left) & (x < right) & (y >= top) & (y < bottom)
    covered = region.mask[y[inside] - top, x[inside] - left] > 0
    return float(covered.sum()) / len(x)
