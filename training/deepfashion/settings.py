"""Settings of the commands for DeepFashion networks. Imports no torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from preprocessing.datasets.samples import SPLITS
from preprocessing.flags import POSITIVE, PROPER_FRACTION, Flag
from training.common.settings import (
    FREEZE_BACKBONE,
    EvaluateSettings,
    LightningFitSettings,
    PredictSettings,
)
from training.deepfashion.recipes import FashionRecipe

DATA = "data"
LISTS = Flag(
    "the benchmark: its lists, in Anno*, Eval and the like, and img/",
    metavar="DIR",
    group=DATA,
    required=False,
)


@dataclass(frozen=True, kw_only=True)
class FitSettings(LightningFitSettings):
    """Settings of a training."""

    task = "deepfashion"

    recipe: FashionRecipe
    data: Annotated[Path, LISTS]
    train_split: Annotated[
        float,
        Flag("fraction of the training pictures' products to train on, where there is no picture "
             "to validate on", PROPER_FRACTION, "FRACTION", DATA),
    ] = 0.8  # fmt: skip
    freeze_backbone: Annotated[bool, FREEZE_BACKBONE] = False


@dataclass(frozen=True, kw_only=True)
class FashionEvaluateSettings(EvaluateSettings):
    """Settings of an evaluation."""

    model: Annotated[str, Flag("committed model or weight file", metavar="NAME|FILE")]
    data: Annotated[Path, LISTS]
    split: Annotated[str, Flag("official split to evaluate on", group=DATA, choices=SPLITS)] = (
        "test"
    )


@dataclass(frozen=True, kw_only=True)
class FashionPredictSettings(PredictSettings):
    """Settings of a prediction."""

    out_image: Annotated[
        Path | None, Flag("folder for a figure of each picture", metavar="DIR")
    ] = None
    temperature: Annotated[
        float,
        Flag("divisor of the logits; above 1 for smoother probabilities", POSITIVE, "X",
             hidden=("--softmax-temp",)),
    ] = 1.0  # fmt: skip
    top_k: Annotated[int, Flag("names a ranking", POSITIVE, "K")] = 3
