"""Recipes of models of attributes. Imports no torch."""

from dataclasses import dataclass
from typing import Annotated

from preprocessing.datasets.imputation import IMPUTATIONS
from preprocessing.flags import PROPER_FRACTION, Flag
from training.common.settings import NETWORK, ImageRecipe
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
