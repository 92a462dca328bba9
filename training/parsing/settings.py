"""Recipes of parsers, and the settings of their commands. Imports no torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from preprocessing.datasets.samples_and_splits import SPLITS
from preprocessing.flags import POSITIVE, Check, Flag
from preprocessing.synthesis.people.materials import MaterialFolders
from training.common.settings import (
    NETWORK,
    TRAINING,
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
    """A recipe for a class for every pixel; a step sees views of composed scenes of people.

    Attributes:
        images: views an epoch; validation_images: crops that validation composes.
        dice_weight: of the Dice loss beside that of the pixels.
        imitation: weight of the large parser's probabilities, if there is one; half of it is taken
            from the other losses.
    """

    network: Annotated[
        str, Flag("network", group=NETWORK, choices=("parser-lite0", "parser-lite2"))
    ]
    images: Annotated[int, Flag("views an epoch", POSITIVE, "N", TRAINING)]
    batch_size: Annotated[
        int,
        Flag("crops of 7 : 10 a step; of other forms as many as have the same pixels", POSITIVE,
             "N", TRAINING),
    ]  # fmt: skip
    size: Annotated[
        int,
        Flag("height of upright crops of people", INPUT_SIDE, "PIXELS", NETWORK,
             name="--image-size"),
    ]  # fmt: skip
    frozen_epochs: int = 0
    validation_images: int = 384
    dice_weight: float = 0.5
    imitation: float = 0.8

    @property
    def photo_size(self) -> int:
        """Longer side of whole photos and frames, whose people are smaller than those of crops."""
        return self.size * 7 // 5 // STRIDE * STRIDE


PARSERS = {
    "parser": ParserRecipe(
        network="parser-lite0",
        epochs=30,
        images=6000,
        batch_size=32,
        size=320,
        lr=0.00075,
        backbone_lr=0.0003,
        schedule="onecycle",
        optimizer="adamw",
        weight_decay=0.03,
        ema_decay=0.998,
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
    """Settings of a training."""

    task = "parse"

    recipe: ParserRecipe
    data: Annotated[Path, PARSED]
    photos: Annotated[
        Path,
        Flag("photos of single garments: path,label[,group]", metavar="CSV", group=DATA,
             required=False),
    ]  # fmt: skip
    group_column: Annotated[
        str, Flag("column of --photos with the sender", metavar="NAME", group=DATA)
    ] = "group"
    pseudo: Annotated[
        tuple[Path, ...],
        Flag("photos with pseudo-labels, of training.parsing.pseudo_labels", metavar="DIR",
             group=DATA, nargs="+", default="none"),
    ] = ()  # fmt: skip
    frames: Annotated[
        tuple[Path, ...],
        Flag("the same of frames of videos, shown as they are", metavar="DIR", group=DATA,
             nargs="+", default="none"),
    ] = ()  # fmt: skip
    backgrounds: Annotated[
        Path | None,
        Flag("pictures without people and garments", metavar="DIR", group=DATA,
             default="drawn ones"),
    ] = None  # fmt: skip
    teacher: Annotated[
        str,
        Flag("large parser of this recipe, whose probabilities are learned too",
             metavar="MODEL|FILE", default="none"),
    ] = ""  # fmt: skip

    @property
    def folders(self) -> MaterialFolders:
        """The data sets that scenes are made of."""
        return MaterialFolders(
            parsed=self.data,
            photos=self.photos,
            pseudo=self.pseudo,
            frames=self.frames,
            group_column=self.group_column,
            backgrounds=self.backgrounds,
        )


@dataclass(frozen=True, kw_only=True)
class ParserEvaluateSettings(EvaluateSettings):
    """Settings of an evaluation."""

    model: Annotated[str, Flag("committed model or weight file", metavar="NAME|FILE")]
    data: Annotated[Path, PARSED]
    split: Annotated[str, Flag("split of --data", group=DATA, choices=SPLITS)] = "test"
    people: Annotated[
        str,
        Flag("detector of people, whose garments are found in crops as in the app",
             metavar="NAME|FILE", default="whole photos"),
    ] = ""  # fmt: skip
    json: Annotated[Path | None, Flag("write the figures to this file too", metavar="FILE")] = None
