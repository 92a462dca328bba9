"""Settings of the commands for classifiers. Imports no torch."""

import shutil
from argparse import Namespace
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

from preprocessing.datasets.samples_and_splits import SPLITS, Rules
from preprocessing.errors import UsageError
from preprocessing.flags import (
    FRACTION_BELOW_ONE,
    NOT_NEGATIVE,
    POSITIVE,
    Check,
    Flag,
    flag_fields,
    read_fields,
)
from training.classification.recipes import ClassifierRecipe, recipe_for
from training.common.runs import (
    DATA,
    REPORT,
    Run,
    is_main_process,
    read_config,
    resumed_settings,
)
from training.common.settings import (
    FREEZE_BACKBONE,
    DistributedMachine,
    EvaluateSettings,
    ExportSettings,
    LightningFitSettings,
    PublishSettings,
    chosen_recipe,
)

DATA_GROUP = "data"
AT_LEAST_8 = Check("8 or more", lambda value: value >= 8)
DATA_DIR = Flag("folder of the four Fashion-MNIST files", metavar="DIR", group=DATA_GROUP)


@dataclass(frozen=True, kw_only=True)
class ClassifierFitSettings(LightningFitSettings):
    """Settings of a classifier's training.

    Attributes:
        rules: by which --data is split.

    Raises:
        UsageError: flags contradict each other.
    """

    task = "classify"

    model: Annotated[str, Flag("recipe, or a network's name", metavar="NAME", required=False)]
    recipe: ClassifierRecipe
    rules: Rules = field(default_factory=Rules)
    data: Annotated[
        Path | None,
        Flag("photos instead of Fashion-MNIST: a folder a class, a CSV path,label[,group][,split], "
             "or a folder that preprocessing.builders.photo_dataset wrote",
             metavar="DIR|CSV", group=DATA_GROUP),
    ] = None  # fmt: skip
    photos: Annotated[
        Path | None,
        Flag("deep-real: photos of single garments beside Fashion-MNIST, a CSV "
             "path,label[,group][,split]", metavar="CSV", group=DATA_GROUP),
    ] = None  # fmt: skip
    data_dir: Annotated[Path | None, DATA_DIR] = None
    limit_train: Annotated[
        int | None,
        Flag("Fashion-MNIST: train and validate on the first N images", POSITIVE, "N", DATA_GROUP,
             default="all"),
    ] = None  # fmt: skip
    limit_test: Annotated[
        int | None,
        Flag("Fashion-MNIST: test on the first N images", POSITIVE, "N", DATA_GROUP, default="all"),
    ] = None
    refit: Annotated[
        Path | None,
        Flag("repeat this run's recipe on all its photos, and take its figures over", metavar="RUN",
             group=DATA_GROUP),
    ] = None  # fmt: skip
    freeze_backbone: Annotated[bool, FREEZE_BACKBONE] = False

    def __post_init__(self) -> None:
        if self.data and (self.limit_train or self.limit_test or self.data_dir):
            raise UsageError("--limit-train, --limit-test and --data-dir are for Fashion-MNIST "
                             "alone")  # fmt: skip
        if self.data is None and self.refit is None:
            if self.recipe.channels == 3:
                raise UsageError(f"--model {self.model} learns from photos: give --data DIR or CSV")
            for name, value, whole in (("crop", self.recipe.crop, 1.0),
                                       ("occlusion", self.recipe.occlusion, 0.0)):  # fmt: skip
                if value != whole:
                    raise UsageError(f"--{name}: only for photos, which --data DIR or CSV names")
        if bool(self.photos) != (self.recipe.photo_repeats > 0):
            raise UsageError(f"--photos CSV belongs to deep-real, which needs it; got --model "
                             f"{self.model}")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ClassifierEvaluateSettings(EvaluateSettings):
    """Settings of a classifier's evaluation."""

    data: Annotated[
        Path | None,
        Flag("photos instead of Fashion-MNIST: a folder a class, a CSV path,label[,group][,split], "
             "or a folder that preprocessing.builders.photo_dataset wrote; for networks of "
             "Fashion-MNIST the garments of the labels t-shirt, pants, longsleeve, dress, outwear "
             "and shirt are cut out", metavar="DIR|CSV", group=DATA_GROUP),
    ] = None  # fmt: skip
    split: Annotated[
        str | None,
        Flag("split of --data", group=DATA_GROUP, choices=SPLITS,
             default="test, else validation, else all"),
    ] = None  # fmt: skip
    classes: Annotated[
        tuple[str, ...],
        Flag("only these classes of --data", metavar="A,B,...", group=DATA_GROUP, default="all"),
    ] = ()
    empty: Annotated[
        Path | None,
        Flag("pictures without any garment: measure how well garments are separated from them",
             metavar="DIR", group=DATA_GROUP),
    ] = None  # fmt: skip
    max_bad: Annotated[
        float,
        Flag("maximum fraction of unreadable images", FRACTION_BELOW_ONE, "FRACTION", DATA_GROUP),
    ] = 0.01
    data_dir: Annotated[Path | None, DATA_DIR] = None
    limit_test: Annotated[
        int | None,
        Flag("Fashion-MNIST: test on the first N images", POSITIVE, "N", DATA_GROUP, default="all"),
    ] = None
    json: Annotated[Path | None, Flag("write the figures to this file too", metavar="FILE")] = None


@dataclass(frozen=True, kw_only=True)
class ClassifierExportSettings(ExportSettings):
    """Settings of a classifier's export."""

    precision: Annotated[
        str,
        Flag("precision of the stored numbers; single where half costs accuracy",
             choices=("half", "single")),
    ] = "half"  # fmt: skip
    data_dir: Annotated[
        Path | None,
        Flag("folder of the four Fashion-MNIST files", metavar="DIR", default="that of training"),
    ] = None


@dataclass(frozen=True, kw_only=True)
class ProfileSettings:
    """Settings of a profile."""

    model: Annotated[
        str,
        Flag("committed model, weight file, run folder or network's name",
             metavar="NAME|FILE|RUN"),
    ]  # fmt: skip
    image_size: Annotated[
        int | None,
        Flag("side of the input of a bare network", AT_LEAST_8, "PIXELS",
             default="that of its recipe, else 224"),
    ] = None  # fmt: skip
    engine: Annotated[str, Flag("engines to measure", choices=("openvino", "torch", "all"))] = "all"
    threads: Annotated[int, Flag("threads of the engine", POSITIVE, "N")] = 1
    json: Annotated[Path | None, Flag("write the figures to this file too", metavar="FILE")] = None


@dataclass(frozen=True, kw_only=True)
class CompareSettings:
    """Settings of a comparison of runs."""

    index: Annotated[Path, Flag("index.csv beside the runs", name="index", nargs="?")] = Path(
        "runs/index.csv"
    )
    data: Annotated[
        str | None,
        Flag("only runs on this kind of data", choices=("Fashion-MNIST", "photos"), default="both"),
    ] = None
    runs: Annotated[
        tuple[Path, ...], Flag("only these run folders", metavar="RUN", nargs="*", default="all")
    ] = ()
    threads: Annotated[int, Flag("threads of the engine", POSITIVE, "N")] = 1
    out: Annotated[Path, Flag("folder to write to", metavar="DIR")] = Path("out/compare")


@dataclass(frozen=True, kw_only=True)
class CompressSettings(PublishSettings):
    """Settings of a compression."""

    model: Annotated[str, Flag("committed model or weight file", metavar="NAME|FILE")]
    to: Annotated[str, Flag("half precision, or 8-bit integers", choices=("fp16", "int8"))]
    max_drop: Annotated[
        float,
        Flag("largest loss of validation accuracy, in percentage points", NOT_NEGATIVE, "POINTS"),
    ] = 0.5
    keep: Annotated[
        tuple[str, ...],
        Flag("nodes that stay in their precision", metavar="REGEX", nargs="*", default="none"),
    ] = ()
    data: Annotated[
        Path | None,
        Flag("photos, as preprocessing.builders.photo_dataset writes them", metavar="DIR"),
    ] = None
    data_dir: Annotated[
        Path | None, Flag("folder of the four Fashion-MNIST files", metavar="DIR")
    ] = None
    threads: Annotated[int, Flag("threads of the timings", POSITIVE, "N")] = 1


# Of training.fit, besides the recipe's.
FIT_FLAGS = (ClassifierFitSettings, Rules, DistributedMachine)


def fit_settings(args: Namespace, run: Run) -> ClassifierFitSettings:
    """The settings of a training, from its flags, from the run to resume, or from --refit.

    Raises:
        UsageError: flags contradict each other, or the run.
    """
    if run.resumed:
        return resumed_settings(run, ClassifierFitSettings, args)
    if "refit" in args:
        return _refit_settings(args, run)
    if getattr(args, "devices", 1) * getattr(args, "nodes", 1) > 1 and "out" not in args:
        raise UsageError("several processes need one folder: give --out")
    recipe = chosen_recipe(recipe_for(args.model, photos="data" in args), args)
    settings = read_fields(ClassifierFitSettings, args, recipe=recipe)
    return replace(settings, rules=read_fields(Rules, args, seed=settings.seed))


def _refit_settings(args: Namespace, run: Run) -> ClassifierFitSettings:
    """The settings of the run that --refit names; its index of photos is copied.

    Raises:
        UsageError: that run did not learn from photos, is not finished, or flags change its recipe.
    """
    source: Path = args.refit
    if not (source / DATA).is_dir() or not (source / REPORT).is_file():
        raise UsageError(f"--refit {source}: not a finished run on photos")
    if "out" not in args or "data" in args:
        raise UsageError("--refit needs --out and takes its data from the run")
    changing = {one.field for one in flag_fields(ClassifierRecipe)} | {
        "model", "init", "freeze_backbone", "seed"
    }  # fmt: skip
    if changing & vars(args).keys():
        raise UsageError("--refit repeats a recipe: it takes no flag that changes it")
    if is_main_process():
        shutil.copytree(source / DATA, run.folder / DATA, dirs_exist_ok=True)
    settings = read_config(source, ClassifierFitSettings).settings
    rules = read_fields(settings.rules, args)
    return replace(settings, refit=source, data=None, photos=None, init=None, rules=rules)
