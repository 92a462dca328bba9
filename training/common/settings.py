"""Settings of the commands that all tasks have; a task's own extend them. Imports no torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from preprocessing.flags import FRACTION, POSITIVE, Flag
from training.common.recipe import LightningRecipe, Recipe
from training.inference.weights import WEIGHTS_DIR

MACHINE = "machine"
DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("bf16", "fp16", "single")
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
        Flag("start from the best weights of this finished run, or from a .safetensors file",
             metavar="RUN|FILE"),
    ] = None  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Where a training runs."""

    device: Annotated[str, Flag("device to train on", group=MACHINE, choices=DEVICES)] = "auto"


@dataclass(frozen=True, kw_only=True)
class LightningMachine(Machine):
    """Where and how Lightning runs a training.

    Attributes:
        devices, nodes: processes a node, and nodes; above 1 they split each batch by `strategy`.
        logger: written to besides metrics.csv.
    """

    precision: Annotated[
        str, Flag("precision of arithmetic", group=MACHINE, choices=PRECISIONS)
    ] = "bf16"
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
class ExportSettings:
    """Settings of an export."""

    run: Annotated[Path, Flag("run folder that training.fit wrote", name="run")]
    out: Annotated[Path, Flag("folder to write to", metavar="DIR", default="weights/")] = (
        WEIGHTS_DIR
    )


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

    first: Annotated[Path, Flag("run folder, or a .safetensors file", name="first")]
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
