"""Settings of the commands for models of attributes. Imports no torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from preprocessing.flags import POSITIVE, Flag
from training.attributes.recipes import DATA, AttributeRecipe
from training.common.settings import (
    FREEZE_BACKBONE,
    EvaluateSettings,
    LightningFitSettings,
    PredictSettings,
)

TABLE = Flag(
    "table with a file name and a column an attribute; #N/A, nan or nothing for missing values",
    metavar="CSV",
    group=DATA,
    required=False,
)
IMAGES = Flag("pictures of the table, of which some may be absent", metavar="DIR", group=DATA,
              required=False)  # fmt: skip
LABEL_MAP = Flag(
    'names of the table\'s codes: {"neck": {"0": "henley", ...}, ...}',
    metavar="JSON",
    group=DATA,
    default="the codes",
)
CATCH_ALL = Flag(
    "report scores without these codes as well; last: the last code of every attribute",
    metavar="last|ATTRIBUTE=CODE,...",
    group=DATA,
    default="none",
)


@dataclass(frozen=True, kw_only=True)
class FitSettings(LightningFitSettings):
    """Settings of a training."""

    task = "attributes"

    recipe: AttributeRecipe
    table: Annotated[Path, TABLE]
    images: Annotated[Path, IMAGES]
    label_map: Annotated[Path | None, LABEL_MAP] = None
    group_column: Annotated[
        str,
        Flag("column of the product, whose pictures stay on one side of the split", metavar="NAME",
             group=DATA, default="group, else by file name"),
    ] = "group"  # fmt: skip
    catch_all: Annotated[str, CATCH_ALL] = ""
    limit_train: Annotated[
        int | None,
        Flag("train and validate on the first N pictures", POSITIVE, "N", DATA, default="all"),
    ] = None
    freeze_backbone: Annotated[bool, FREEZE_BACKBONE] = False


@dataclass(frozen=True, kw_only=True)
class AttributeEvaluateSettings(EvaluateSettings):
    """Settings of an evaluation."""

    model: Annotated[str, Flag("committed model or weight file", metavar="NAME|FILE")]
    table: Annotated[Path, TABLE]
    images: Annotated[Path, IMAGES]
    label_map: Annotated[Path | None, LABEL_MAP] = None
    catch_all: Annotated[str, CATCH_ALL] = ""


@dataclass(frozen=True, kw_only=True)
class AttributePredictSettings(PredictSettings):
    """Settings of a prediction."""

    out_image: Annotated[
        Path | None, Flag("write a sheet of the first pictures with their labels", metavar="FILE")
    ] = None
