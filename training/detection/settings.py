"""Settings of the commands for detectors. Imports no torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from preprocessing.datasets.samples import SPLITS
from preprocessing.flags import FRACTION, Flag
from training.common.settings import EvaluateSettings, ExportSettings
from training.common.settings import FitSettings as CommonFitSettings
from training.detection.recipes import DetectorRecipe

DATA = "data"
NO_NAMER = ("none", "detector")  # values of --namer, the second one an earlier spelling
BOXES = Flag(
    "labelled boxes in YOLO's layout, see preprocessing.builders.canvases",
    metavar="YAML",
    group=DATA,
    required=False,
)


@dataclass(frozen=True, kw_only=True)
class FitSettings(CommonFitSettings):
    """Settings of a training."""

    task = "detect"

    recipe: DetectorRecipe
    data: Annotated[Path, BOXES]


@dataclass(frozen=True, kw_only=True)
class DetectorEvaluateSettings(EvaluateSettings):
    """Settings of an evaluation."""

    model: Annotated[str, Flag("committed model or weight file", metavar="NAME|FILE")]
    data: Annotated[Path | None, BOXES] = None
    split: Annotated[
        str | None,
        Flag("split of --data", group=DATA, choices=SPLITS, default="test, else validation"),
    ] = None
    empty: Annotated[
        Path | None,
        Flag("pictures without any garment, instead of --data: how often a box is detected",
             metavar="DIR", group=DATA),
    ] = None  # fmt: skip
    detection_confidence: Annotated[
        float | None,
        Flag("minimum score of a box that counts as a false one", FRACTION, "P", default="the "
             "detector's own", hidden=("--threshold",)),
    ] = None  # fmt: skip
    namer: Annotated[
        str | None,
        Flag("classifier that labels the boxes together with the detector, or none",
             metavar="MODEL|none", default="as in the live app", hidden=("--name-by",)),
    ] = None  # fmt: skip
    json: Annotated[Path | None, Flag("write the figures to this file too", metavar="FILE")] = None


@dataclass(frozen=True, kw_only=True)
class DetectorExportSettings(ExportSettings):
    """Settings of an export."""

    detection_confidence: Annotated[
        float | None,
        Flag("default minimum score of a box", FRACTION, "P", default="the best F1 on validation",
             hidden=("--confidence",)),
    ] = None  # fmt: skip
