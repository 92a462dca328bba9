"""Networks from weight files and from the checkpoints of a run, and averages of two runs."""

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from preprocessing.errors import UsageError, WeightsError
from training.common.runs import (
    CONFIG,
    DATA,
    Run,
    RunConfig,
    read_raw_config,
)
from training.common.settings import (
    AverageSettings,
    ImageRecipe,
)
from training.inference import weights
from training.inference.weights import WeightsInfo
from training.models.layers import normalisation
from training.models.onnx_tensors import read_onnx_tensors, read_tensors
from training.models.registry import MODELS

N = TypeVar("N", bound=nn.Module)
PREFIX = "network."  # of the network's tensors in a checkpoint of a NetworkModule


def new_network(recipe: ImageRecipe, classes: int, *, dropout: float = 0.0) -> nn.Module:
    """An untrained row of MODELS."""
    return MODELS[recipe.network](recipe.shape(classes), dropout=dropout)


def base_info(config: RunConfig, network: nn.Module, *, network_input: str) -> WeightsInfo:
    """Metadata of a run's network without what only its task knows.

    Args:
        network: with a layer that normalises its input.
        network_input: row of NETWORK_INPUTS.
    """
    settings, layer = config.settings, normalisation(network)
    return WeightsInfo(
        name=settings.model,
        network=settings.recipe.network,
        classes=config.classes,
        network_input=network_input,
        size=settings.recipe.size,
        channels=3,
        mean=layer.mean,
        std=layer.std,
        temperature=1.0,
        task=settings.task,
        command=config.command,
        commit=config.commit,
    )


def load_network(stem: Path, info: WeightsInfo) -> nn.Module:
    """A row of MODELS with the tensors of `stem`.onnx, in float32, ready to evaluate.

    Raises:
        WeightsError: the tensors do not fit the network that the metadata names.
    """
    path = stem.with_suffix(".onnx")
    if info.network not in MODELS:
        raise WeightsError(f"{path}: unknown network {info.network!r}, have {', '.join(MODELS)}")
    return filled(MODELS[info.network](info.shape, dropout=0.0), stem, info)


def load_model(model: str) -> tuple[nn.Module, WeightsInfo]:
    """A row of MODELS with the weights of a committed model or of a weight file, and its metadata.

    Raises:
        WeightsError: there is none, it is damaged, or it is another kind of network.
    """
    stem, info = weights.locate(model)
    weights.verified(stem.with_suffix(".onnx"))
    return load_network(stem, info), info


def filled(network: N, stem: Path, info: WeightsInfo) -> N:
    """A network with the tensors of `stem`.onnx, in float32, ready to evaluate.

    Raises:
        WeightsError: the tensors do not fit it.
    """
    path = stem.with_suffix(".onnx")
    try:
        network.load_state_dict(read_onnx_tensors(path))
    except Exception as error:  # of onnx and protobuf, which have no other base
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise WeightsError(f"{path} does not hold a {info.network!r} network: {reason}") from error
    return network.float().eval()


def load_best(run: Path, network: N) -> N:
    """A network, filled with the best checkpoint of a run, or a weight file, ready to evaluate.

    Raises:
        UsageError: the run has no checkpoint yet, or it or the file holds another network.
    """
    state, prefix = read_state(run), len(PREFIX)
    tensors = {key[prefix:]: value for key, value in state.items() if key.startswith(PREFIX)}
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise UsageError(
            f"{run} holds another network than the one to fill: give one of the same kind and "
            "classes, or train it again"
        ) from error
    return network.eval()


def read_state(run: Path) -> dict[str, torch.Tensor]:
    """The tensors of a run's best checkpoint, or of a weight file, with PREFIX in their names.

    Raises:
        UsageError: the run has no whole checkpoint, or the file is none.
    """
    if run.is_file():
        return {PREFIX + name: tensor for name, tensor in read_tensors(run).items()}
    try:
        return torch.load(run / "best.ckpt", map_location="cpu", weights_only=True)["state_dict"]
    except (OSError, KeyError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise UsageError(
            f"{run} has no whole best.ckpt ({error}): let training.fit finish an epoch"
        ) from error


State = dict[str, torch.Tensor]


def average_runs(settings: AverageSettings, run: Run) -> str:
    """Write a run whose best checkpoint is the average of two by Lightning: the text to print.

    Wortsman et al. 2022, arXiv 2109.01903.

    Raises:
        UsageError: a run has no whole checkpoint, or they hold different networks.
    """
    averaged = average_states(settings, read_state)
    run.folder.mkdir(parents=True, exist_ok=True)
    torch.save({"state_dict": averaged}, run.folder / "best.ckpt")
    copy_config(settings.second, run)
    return f"averaged {settings.first} and {settings.second}"


def average_states(settings: AverageSettings, read: Callable[[Path], State]) -> State:
    """The averaged tensors; those that are no weights, such as counters, are the second run's.

    Args:
        read: reads the tensors of a run or of a weight file.

    Raises:
        UsageError: they hold different networks; see `read`.
    """
    start, end = read(settings.first), read(settings.second)
    if {k: v.shape for k, v in start.items()} != {k: v.shape for k, v in end.items()}:
        raise UsageError(f"{settings.first} and {settings.second} hold different networks: give "
                         "two runs of one recipe")  # fmt: skip
    return {
        name: torch.lerp(start[name].float(), tensor, settings.fraction)
        if tensor.is_floating_point()
        else tensor
        for name, tensor in end.items()
    }


def copy_config(source: Path, run: Run) -> None:
    """Copy the config.json of a run, and the index of its photos, with another origin."""
    config = read_raw_config(source) | {"command": run.command, "commit": run.commit}
    (run.folder / CONFIG).write_text(json.dumps(config, indent=1) + "\n")
    if (source / DATA).is_dir():
        shutil.copytree(source / DATA, run.folder / DATA)
