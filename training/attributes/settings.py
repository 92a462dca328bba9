"""Recipes of models of attributes, and the settings of their commands. Imports no torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from preprocessing.datasets.imputation import IMPUTATIONS
from preprocessing.flags import POSITIVE, PROPER_FRACTION, Flag
from training.common.settings import (
    FREEZE_BACKBONE,
    NETWORK,
    EvaluateSettings,
    ImageRecipe,
    LightningFitSettings,
    PredictSettings,
)
from training.models.names import BACKBONES

DATA = "data"


@dataclass(frozen=True, kw_only=True)
class AttributeRecipe(ImageRecipe):
    """A recipe for a class an attribute; the network's outputs are those of all attributes."""

    network: Annotated[
        str, Flag("backbone under the head", name="--backbone", group=NETWORK, choices=BACKBONES)
    ]
    missing: Annotated[
        str,
        Flag("training target where the table has no value: none (mask), a class of its own, the "
             "column's most frequent class (mode), the likeliest one given the row's others "
             "(conditional), or drop such rows", group=DATA, choices=tuple(IMPUTATIONS)),
    ] = "mask"  # fmt: skip
    train_split: Annotated[
        float,
        Flag("fraction of the products to train on; the others validate", PROPER_FRACTION,
             "FRACTION", DATA),
    ] = 0.8  # fmt: skip


ATTRIBUTE_MODELS = {
    "attributes": AttributeRecipe(
        network="efficientnet-lite0",
        pretrained="imagenet",
        epochs=20,
        batch_size=24,
        lr=0.001,
        backbone_lr=0.0002,
        schedule="plateau",
        patience=8,
        augment="photo",
        crop=0.7,
        size=224,
        channels=3,
        dropout=0.2,
        optimizer="adamw",
        weight_decay=0.05,
        ema_decay=0.99,
        clip=5.0,
    ),
}


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
class AttributeFitSettings(LightningFitSettings):
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
