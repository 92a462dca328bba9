"""Networks from weight files and from the checkpoints of a run."""

import dataclasses
import json
import pickle
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from preprocessing.errors import UsageError, WeightsError
from training.classification.recipes import CONFIG, Recipe
from training.inference.weights import METADATA_KEY, WeightsInfo
from training.models import MODELS

R = TypeVar("R")  # a kind of recipe
TASK_PREFIX = "network."  # of the network's tensors in a checkpoint of a task


def load_network(stem: Path, info: WeightsInfo) -> nn.Module:
    """The network of `stem`.safetensors in float32, ready to evaluate.

    Raises:
        WeightsError: the tensors do not fit the network that the metadata names.
    """
    path = stem.with_suffix(".safetensors")
    if info.network not in MODELS:
        raise WeightsError(f"{path}: unknown network {info.network!r}, have {', '.join(MODELS)}")
    return filled(MODELS[info.network](info.shape, dropout=0.0), stem, info)


def filled(network: nn.Module, stem: Path, info: WeightsInfo) -> nn.Module:
    """A network with the tensors of `stem`.safetensors, in float32, ready to evaluate.

    Raises:
        WeightsError: the tensors do not fit it.
    """
    path = stem.with_suffix(".safetensors")
    try:
        network.load_state_dict(load_file(path))
    except (OSError, SafetensorError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(f"{path} does not hold a {info.network!r} network: {reason}") from error
    return network.float().eval()


def save_network(stem: Path, network: nn.Module, info: WeightsInfo, *, half: bool) -> None:
    """Write `stem`.safetensors in half or single precision, with the metadata inside."""
    tensors = {
        name: (tensor.half() if half and tensor.is_floating_point() else tensor).contiguous()
        for name, tensor in network.state_dict().items()
    }
    save_file(tensors, stem.with_suffix(".safetensors"), {METADATA_KEY: info.to_json()})


def load_run(run: Path) -> tuple[nn.Module, Recipe, dict]:
    """The best network of a run folder, its recipe and its config.

    Raises:
        UsageError: the folder is not that of a run, it has no checkpoint yet, or its network has
            changed since.
    """
    recipe, config = read_config(run)
    network = MODELS[recipe.network](recipe.shape(len(config["classes"])), dropout=0.0)
    return load_best(run, network), recipe, config


def load_best(run: Path, network: nn.Module) -> nn.Module:
    """A network, filled with the best checkpoint of a run, or a weight file, ready to evaluate.

    Raises:
        UsageError: the run has no checkpoint yet, or it or the file holds another network.
    """
    state, prefix = read_state(run), len(TASK_PREFIX)
    tensors = {key[prefix:]: value for key, value in state.items() if key.startswith(TASK_PREFIX)}
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise UsageError(
            f"{run} holds another network than the one to fill: give one of the same kind and "
            "classes, or train it anew"
        ) from error
    return network.eval()


def read_state(run: Path) -> dict[str, torch.Tensor]:
    """The tensors of a run's best checkpoint, or of a weight file, under their names in the task.

    Raises:
        UsageError: the run has no whole checkpoint, or the file is none.
    """
    if run.is_file():
        return {TASK_PREFIX + name: tensor for name, tensor in read_tensors(run).items()}
    try:
        return torch.load(run / "best.ckpt", map_location="cpu", weights_only=True)["state_dict"]
    except (OSError, KeyError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise UsageError(
            f"{run} has no whole best.ckpt ({error}): let training.fit finish an epoch"
        ) from error


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a weight file.

    Raises:
        UsageError: it is none.
    """
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise UsageError(
            f"{path} is no .safetensors file ({error}): give one that training.export wrote"
        ) from error


def read_config(run: Path, kind: type[R] = Recipe) -> tuple[R, dict]:
    """The recipe, of a kind, and the whole config of a run folder.

    Raises:
        UsageError: the folder is not that of a run of this kind.
    """
    try:
        config = json.loads((run / CONFIG).read_text())
        return kind(**config["recipe"]), config
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{run} is not a finished run ({error}): name a folder that training.fit made"
        ) from error


def write_config(run: Path, recipe: R, **values: object) -> None:
    """Write down what a run was made with; the folder is made if need be."""
    run.mkdir(parents=True, exist_ok=True)
    config = {"recipe": dataclasses.asdict(recipe), **values}
    (run / CONFIG).write_text(json.dumps(config, indent=1) + "\n")
