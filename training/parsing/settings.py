"""Settings of the commands for parsers. Imports no torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from preprocessing.datasets.samples import SPLITS
from preprocessing.errors import UsageError
from preprocessing.flags import Flag
from training.common.settings import EvaluateSettings, LightningFitSettings
from training.parsing.recipes import ParserRecipe

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
class FitSettings(LightningFitSettings):
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
