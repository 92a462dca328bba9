"""Networks to evaluate: of finished runs and of weight files, with their calibration."""

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from training.classification.data import NETWORK_INPUT, finished_splits
from training.classification.settings import FitSettings
from training.common.checkpoints import load_best, load_network
from training.common.metrics import fit_temperature
from training.common.runs import RunConfig, read_config
from training.common.subsets import Splits, predict, readable
from training.inference import weights
from training.models.registry import MODELS


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """The best network of a run, ready to evaluate, with what it was made with."""

    network: nn.Module
    config: RunConfig[FitSettings]


def load_run(folder: Path) -> FinishedRun:
    """The finished run of a folder.

    Raises:
        UsageError: it is no such run, it has no checkpoint yet, or its network has changed since.
    """
    config = read_config(folder, FitSettings)
    recipe = config.settings.recipe
    network = MODELS[recipe.network](recipe.shape(len(config.classes)), dropout=0.0)
    return FinishedRun(load_best(folder, network), config)


@dataclass(frozen=True, eq=False)
class CalibratedNetwork:
    """A network with what its evaluation needs to know.

    Attributes:
        network_input: row of NETWORK_INPUTS.
        temperature: divisor of the logits, fitted on a validation subset.
    """

    network: nn.Module
    name: str
    classes: tuple[str, ...]
    network_input: str
    size: int
    temperature: float


def load_calibrated(model: str) -> CalibratedNetwork:
    """A committed model's name, a weight file or a run folder.

    Weight files carry their temperature; that of a run is fitted on its validation subset.

    Raises:
        WeightsError, UsageError, DataError: see `locate`, `load_run` and `fashion_mnist.load`.
    """
    if Path(model).is_dir():
        return calibrated_run(Path(model))[0]
    stem, info = weights.locate(model)
    weights.verified(stem.with_suffix(".safetensors"))
    network = load_network(stem, info)
    return CalibratedNetwork(
        network, info.name, info.classes, info.network_input, info.size, info.temperature
    )


def calibrated_run(folder: Path) -> tuple[CalibratedNetwork, Splits]:
    """A run's best network, with the data set that it learnt from and is evaluated on."""
    run = load_run(folder)
    settings, recipe = run.config.settings, run.config.settings.recipe
    splits = finished_splits(folder, settings)
    temperature = 1.0
    if splits.validation is not None:
        temperature = fit_temperature(*readable(*predict(run.network, splits.validation.loader())))
    network_input = NETWORK_INPUT[recipe.channels]
    network = CalibratedNetwork(
        run.network, settings.model, run.config.classes, network_input, recipe.size, temperature
    )
    return network, splits
