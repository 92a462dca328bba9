"""Recipes of parsers, and the settings of their commands. Imports no torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from preprocessing.datasets.samples_and_splits import SPLITS
from preprocessing.errors import UsageError
from preprocessing.flags import Check, Flag
from training.common.settings import (
    NETWORK,
    EvaluateSettings,
    LightningFitSettings,
    LightningRecipe,
)
from training.inference.weights import STRIDE

INPUT_SIDE = Check(
    f"a multiple of {STRIDE}, above 0", lambda value: value > 0 and value % STRIDE == 0
)


@dataclass(frozen=True, kw_only=True)
class ParserRecipe(LightningRecipe):
    """A recipe for a class for every pixel; a step sees random square views of photos.

    Attributes:
        images: views an epoch.
        single: fraction of views of a single garment instead of a person; empty: of views without
            any person or garment; background_swap: of views with another background.
        dice_weight: of the Dice loss beside that of the pixels.
        frozen_blocks: first blocks of the backbone that stay frozen: they detect edges and cloth
            already, and their large feature maps cost half of a step.
    """

    images: int
    size: Annotated[
        int,
        Flag("side of the square views of training", INPUT_SIDE, "PIXELS", NETWORK,
             name="--image-size"),
    ]  # fmt: skip
    frozen_epochs: int = 0
    single: float = 0.3
    empty: float = 0.05
    background_swap: float = 0.35
    dice_weight: float = 0.5
    frozen_blocks: int = 5

    @property
    def photo_size(self) -> int:
        """Longer side of whole photos and frames, whose people are smaller than those of views."""
        return self.size * 7 // 4 // STRIDE * STRIDE


PARSERS = {
    "parser": ParserRecipe(
        network="parser-lite0",
        epochs=56,
        images=1600,
        batch_size=16,
        size=256,
        lr=0.002,
        backbone_lr=0.0005,
        schedule="onecycle",
        optimizer="adamw",
        weight_decay=0.05,
        ema_decay=0.995,
        clip=5.0,
    ),
}


DATA = "data"
PARSED = Flag(
    "photos of people with masks: photos/NAME.jpg, masks/NAME.png and labels.csv (id,name); the "
    "first 79 % of the photos in the order of their names train, the next 9 % validate, the rest "
    "tests",
    metavar="DIR",
    group=DATA,
    required=False,
    hidden=("--parsed",),
)


@dataclass(frozen=True, kw_only=True)
class ParserFitSettings(LightningFitSettings):
    """Settings of a training.

    Raises:
        UsageError: flags contradict each other.
    """

    task = "parse"

    recipe: ParserRecipe
    data: Annotated[Path, PARSED]
    boxed: Annotated[
        tuple[Path, ...],
        Flag("photos of people with boxes (data.yaml), which --teacher labels", metavar="DIR",
             group=DATA, nargs="+", default="none"),
    ] = ()  # fmt: skip
    boxed_labels: Annotated[
        Path | None,
        Flag("finer labels of single boxes of --boxed: file,x1,y1,x2,y2,name, such as "
             "preprocessing/datasets/boxed_people_names.csv", metavar="CSV", group=DATA),
    ] = None  # fmt: skip
    teacher: Annotated[
        str,
        Flag("parser whose pseudo-labels for --boxed are kept inside boxes of the same garment",
             metavar="MODEL|FILE", group=DATA, default="none"),
    ] = ""  # fmt: skip
    photos: Annotated[
        Path | None,
        Flag("photos of single garments: path,label[,group][,split]", metavar="CSV", group=DATA),
    ] = None
    group_column: Annotated[
        str,
        Flag("column of --photos with the sender, whose photos stay on one side of the split",
             metavar="NAME", group=DATA),
    ] = "group"  # fmt: skip
    backgrounds: Annotated[
        Path | None,
        Flag("garment-free pictures", metavar="DIR", group=DATA, default="drawn ones"),
    ] = None

    def __post_init__(self) -> None:
        if bool(self.boxed) != bool(self.teacher):
            raise UsageError("--boxed DIR and --teacher MODEL go together: the teacher labels the "
                             "boxed photos")  # fmt: skip
        if self.boxed_labels and not self.boxed:
            raise UsageError("--boxed-labels CSV: give --boxed DIR, whose boxes it labels")


@dataclass(frozen=True, kw_only=True)
class ParserEvaluateSettings(EvaluateSettings):
    """Settings of an evaluation."""

    model: Annotated[str, Flag("committed model or weight file", metavar="NAME|FILE")]
    data: Annotated[Path, PARSED]
    split: Annotated[str, Flag("split of --data", group=DATA, choices=SPLITS)] = "test"
    json: Annotated[Path | None, Flag("write the figures to this file too", metavar="FILE")] = None
