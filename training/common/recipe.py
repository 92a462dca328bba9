"""Recipes: everything that decides a training besides its data and its seed. Imports no torch.

A task's recipes.py extends one of these classes. A field with a flag can be replaced on the command
line, and the flag's default is the recipe's value; a subclass that annotates a field anew without a
flag takes the flag away.
"""

from argparse import Namespace
from dataclasses import dataclass, replace
from typing import Annotated, TypeVar

from preprocessing.flags import (
    FRACTION_ABOVE_ZERO,
    FRACTION_BELOW_ONE,
    NOT_NEGATIVE,
    POSITIVE,
    Flag,
    read_fields,
)
from training.inference.shape import HEADS, Shape

# Names of the rows of SCHEDULES, OPTIMIZERS and AUGMENTATIONS (a test compares them).
SCHEDULE_NAMES = ("plateau", "onecycle", "cosine", "step")
OPTIMIZER_NAMES = ("sgd", "adamw")
AUGMENTATION_NAMES = ("none", "mirror", "light", "strong", "real", "colour", "photo", "dyed")
BALANCES = ("none", "sampling", "loss")

TRAINING, NETWORK = "training", "network"  # groups of flags
FREEZE_BACKBONE = Flag("train the head alone", group=TRAINING)
IMAGE_SIZE = Flag(
    "side of the network's square input", POSITIVE, "PIXELS", NETWORK, name="--image-size"
)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The part of a recipe that all tasks have.

    Attributes:
        network: name of the network's architecture.
    """

    network: str
    epochs: Annotated[int, Flag("passes over the training images", POSITIVE, "N", TRAINING)]
    batch_size: Annotated[int, Flag("images a step, over all processes", POSITIVE, "N", TRAINING)]
    lr: Annotated[float, Flag("highest learning rate", POSITIVE, "RATE", TRAINING)]
    weight_decay: Annotated[
        float, Flag("decay of weights; biases and norms have none", NOT_NEGATIVE, "X", TRAINING)
    ]
    size: Annotated[int, IMAGE_SIZE]
    patience: Annotated[
        int,
        Flag("stop after so many epochs without progress on validation; 0 for never",
             NOT_NEGATIVE, "EPOCHS", TRAINING),
    ] = 0  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class LightningRecipe(Recipe):
    """A recipe for the trainer of `common.trainer`.

    Attributes:
        ema_decay: of the averaged weights, per step.
    """

    schedule: Annotated[
        str, Flag("schedule of the learning rate", group=TRAINING, choices=SCHEDULE_NAMES)
    ]
    optimizer: Annotated[str, Flag("optimiser", group=TRAINING, choices=OPTIMIZER_NAMES)] = "sgd"
    weight_decay: Annotated[
        float, Flag("decay of weights; biases and norms have none", NOT_NEGATIVE, "X", TRAINING)
    ] = 5e-4
    momentum: float = 0.9
    backbone_lr: Annotated[
        float,
        Flag("highest learning rate of the backbone; 0 for --lr", NOT_NEGATIVE, "RATE", TRAINING),
    ] = 0.0
    frozen_epochs: Annotated[
        int,
        Flag("first epochs in which the backbone is frozen", NOT_NEGATIVE, "EPOCHS", TRAINING,
             name="--unfreeze-after"),
    ] = 0  # fmt: skip
    ema_decay: float = 0.998
    clip: Annotated[
        float, Flag("largest norm of the gradients; 0 for any", NOT_NEGATIVE, "NORM", TRAINING)
    ] = 0.0


@dataclass(frozen=True, kw_only=True)
class BackboneRecipe(LightningRecipe):
    """A recipe for a backbone under a head; `network` is a row of BACKBONES or MODELS."""

    augment: Annotated[
        str, Flag("augmentation of batches", group=TRAINING, choices=AUGMENTATION_NAMES)
    ]
    dropout: Annotated[
        float, Flag("dropout before the last layer", FRACTION_BELOW_ONE, "FRACTION", NETWORK)
    ] = 0.0
    pretrained: Annotated[
        str,
        Flag("weights that the backbone starts from", metavar="none|imagenet|FILE", group=NETWORK),
    ] = "none"


B = TypeVar("B", bound=BackboneRecipe)


@dataclass(frozen=True, kw_only=True)
class ImageRecipe(BackboneRecipe):
    """A recipe for a row of MODELS, from images to logits.

    Attributes:
        channels: 1 (grey) or 3 (BGR).
    """

    size: Annotated[int, IMAGE_SIZE] = 28
    channels: int = 1
    head: Annotated[
        str,
        Flag("hidden: 256 units before the outputs; custom: 1024 and 512; bilinear: products of "
             "every two of 128 maps", group=NETWORK, choices=HEADS),
    ] = "linear"  # fmt: skip
    crop: Annotated[
        float,
        Flag("smallest fraction of a photo's area in random crops", FRACTION_ABOVE_ZERO,
             "FRACTION", TRAINING),
    ] = 1.0  # fmt: skip
    balance: Annotated[
        str, Flag("make all classes count alike", group=TRAINING, choices=BALANCES)
    ] = "none"

    def shape(self, classes: int) -> Shape:
        """Input and output of the network for a number of classes."""
        return Shape(classes, size=self.size, channels=self.channels, head=self.head)


def chosen_recipe(recipe: B, args: Namespace) -> B:
    """The recipe with the flags that were given.

    Another --backbone starts from scratch unless --pretrained is given too; --freeze-backbone
    freezes it in all epochs.
    """
    chosen = read_fields(recipe, args)
    if chosen.network != recipe.network and "pretrained" not in args:
        chosen = replace(chosen, pretrained="none")
    if "freeze_backbone" in args and "frozen_epochs" not in args:
        chosen = replace(chosen, frozen_epochs=chosen.epochs)
    return chosen
