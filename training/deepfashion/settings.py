"""Recipes of DeepFashion networks, and the settings of their commands. Imports no torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from preprocessing.datasets.samples_and_splits import SPLITS
from preprocessing.flags import NOT_NEGATIVE, POSITIVE, PROPER_FRACTION, Flag
from training.common.settings import (
    FREEZE_BACKBONE,
    NETWORK,
    BackboneRecipe,
    EvaluateSettings,
    LightningFitSettings,
    PredictSettings,
)
from training.models.names import BACKBONES

LOSSES = "losses"


@dataclass(frozen=True, kw_only=True)
class FashionRecipe(BackboneRecipe):
    """A recipe for category, attributes, box and landmarks, with the weights of their losses."""

    network: Annotated[
        str, Flag("backbone under the heads", name="--backbone", group=NETWORK, choices=BACKBONES)
    ]
    category_weight: Annotated[
        float, Flag("weight of the loss of categories", NOT_NEGATIVE, "X", LOSSES)
    ] = 1.0
    attribute_weight: Annotated[
        float, Flag("weight of the loss of attributes", NOT_NEGATIVE, "X", LOSSES)
    ] = 2.0
    box_weight: Annotated[float, Flag("weight of the loss of boxes", NOT_NEGATIVE, "X", LOSSES)] = (
        5.0
    )
    landmark_weight: Annotated[
        float, Flag("weight of the loss of landmarks", NOT_NEGATIVE, "X", LOSSES)
    ] = 1.0
    attribute_loss: Annotated[
        str, Flag("loss of an attribute", group=LOSSES, choices=("bce", "hinge"))
    ] = "bce"
    box_loss: Annotated[str, Flag("loss of a box", group=LOSSES, choices=("giou", "l1"))] = "giou"
    reduction: Annotated[
        str,
        Flag("how the losses of a picture's attributes are combined", group=LOSSES,
             choices=("sum", "mean")),
    ] = "mean"  # fmt: skip
    positive_weight: Annotated[
        float,
        Flag("weight of rare labels: positives of an attribute weigh (absent / present) to this "
             "power, classes of a group (mean count / count); 0 for equal weights", NOT_NEGATIVE,
             "X", LOSSES),
    ] = 1.0  # fmt: skip


FASHION_MODELS = {
    "deepfashion": FashionRecipe(
        network="efficientnet-lite0",
        pretrained="imagenet",
        epochs=40,
        batch_size=24,
        lr=0.001,
        backbone_lr=0.0002,
        schedule="onecycle",
        augment="colour",
        size=224,
        dropout=0.2,
        optimizer="adamw",
        weight_decay=0.05,
        ema_decay=0.99,
        clip=5.0,
    ),
}


DATA = "data"
LISTS = Flag(
    "the benchmark: its lists, in Anno*, Eval and the like, and img/",
    metavar="DIR",
    group=DATA,
    required=False,
)


@dataclass(frozen=True, kw_only=True)
class FashionFitSettings(LightningFitSettings):
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
