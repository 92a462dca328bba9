"""Recipes of DeepFashion networks. Imports no torch."""

from dataclasses import dataclass
from typing import Annotated

from preprocessing.flags import NOT_NEGATIVE, Flag
from training.common.settings import NETWORK, BackboneRecipe
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
