"""Recipes and settings that all tasks have; a task's own extend them. Imports no torch.

A recipe is everything that decides a training besides its data and its seed. A field with a flag
can be replaced on the command line, and the flag's default is the recipe's value; a subclass that
annotates a field anew without a flag takes the flag away.
"""

from argparse import Namespace
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, ClassVar, Self, TypeVar

from preprocessing.errors import DeviceError
from preprocessing.flags import (
    FRACTION,
    FRACTION_ABOVE_ZERO,
    FRACTION_BELOW_ONE,
    NOT_NEGATIVE,
    POSITIVE,
    Flag,
    read_fields,
)
from training.inference.weights import HEADS, WEIGHTS_DIR, Shape

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


MACHINE = "machine"
DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("auto", "bf16", "fp16", "single")
LOGGERS = ("csv", "tensorboard", "wandb")


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """Everything that decides the result of a training: a run's config.json keeps it.

    Attributes:
        task: key of TASKS.
    """

    task: ClassVar[str]

    model: Annotated[str, Flag("recipe", metavar="NAME", required=False)]
    recipe: Recipe
    seed: Annotated[
        int, Flag("random seed of weights, batch order, augmentation and splits", metavar="N")
    ] = 0


@dataclass(frozen=True, kw_only=True)
class LightningFitSettings(FitSettings):
    """Settings of a training by `common.fitting`."""

    recipe: LightningRecipe
    init: Annotated[
        Path | None,
        Flag("start from the best weights of this finished run, or from a weight file",
             metavar="RUN|FILE"),
    ] = None  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Where a training runs."""

    device: Annotated[
        str,
        Flag("device to train on; auto prefers cuda, then mps", group=MACHINE, choices=DEVICES),
    ] = "auto"

    def chosen(self) -> Self:
        """The machine with one device in place of "auto".

        Raises:
            DeviceError: the device is not there.
        """
        import torch  # not for --help

        present = [*["cuda"] * torch.cuda.is_available(),
                   *["mps"] * torch.backends.mps.is_available(), "cpu"]  # fmt: skip
        device = present[0] if self.device == "auto" else self.device
        if device not in present:
            raise DeviceError(f"no {device} device here: use --device {' or '.join(present)}")
        return replace(self, device=device)


@dataclass(frozen=True, kw_only=True)
class LightningMachine(Machine):
    """Where and how Lightning runs a training.

    Attributes:
        devices, nodes: processes a node, and nodes; above 1 they split each batch by `strategy`.
        logger: written to besides metrics.csv.
    """

    precision: Annotated[
        str,
        Flag(
            "precision of arithmetic; auto: bf16 where the hardware has units for it, else single",
            group=MACHINE,
            choices=PRECISIONS,
        ),
    ] = "auto"
    logger: Annotated[
        str, Flag("log besides metrics.csv; csv for none", group=MACHINE, choices=LOGGERS)
    ] = "csv"
    devices: int = 1
    nodes: int = 1
    strategy: str = "ddp"


@dataclass(frozen=True, kw_only=True)
class DistributedMachine(LightningMachine):
    """A LightningMachine whose processes are set by flags."""

    devices: Annotated[int, Flag("processes a node", POSITIVE, "N", MACHINE)] = 1
    nodes: Annotated[int, Flag("machines, started by torchrun", POSITIVE, "N", MACHINE)] = 1
    strategy: Annotated[
        str, Flag("Lightning's strategy for several processes", metavar="NAME", group=MACHINE)
    ] = "ddp"


@dataclass(frozen=True, kw_only=True)
class EvaluateSettings:
    """Settings of an evaluation."""

    model: Annotated[
        str, Flag("committed model, weight file or run folder", metavar="NAME|FILE|RUN")
    ]
    out: Annotated[
        Path | None, Flag("report folder", metavar="DIR", default="out/evaluate-MODEL")
    ] = None

    def folder(self, name: str) -> Path:
        """The report folder of a model."""
        return self.out or Path("out") / f"evaluate-{name}"


@dataclass(frozen=True, kw_only=True)
class PublishSettings:
    """Settings of what writes weight files."""

    out: Annotated[Path, Flag("folder to write to", metavar="DIR", default="weights/")] = (
        WEIGHTS_DIR
    )


@dataclass(frozen=True, kw_only=True)
class ExportSettings(PublishSettings):
    """Settings of an export."""

    run: Annotated[Path, Flag("run folder that training.fit wrote", name="run")]


@dataclass(frozen=True, kw_only=True)
class PredictSettings:
    """Settings of predictions for pictures."""

    model: Annotated[str, Flag("committed model or weight file", metavar="NAME|FILE")]
    input: Annotated[Path, Flag("picture, folder of pictures, or video", metavar="IMAGE|DIR|VIDEO")]
    out: Annotated[
        Path, Flag("CSV file to write, a row a picture", metavar="FILE", hidden=("-o",))
    ] = Path("out.csv")
    step: Annotated[int, Flag("take every n-th frame of a video", POSITIVE, "N")] = 1


@dataclass(frozen=True, kw_only=True)
class AverageSettings:
    """Settings of an average of two runs."""

    first: Annotated[Path, Flag("run folder, or a weight file", name="first")]
    second: Annotated[
        Path,
        Flag("run folder of training.fit --init FIRST, of a detector --pretrained FIRST",
             name="second"),
    ]  # fmt: skip
    fraction: Annotated[
        float,
        Flag("weight of the second run", FRACTION, "FRACTION", hidden=("--share",)),
    ] = 0.5
    out: Annotated[Path, Flag("run folder to write", metavar="DIR")]
