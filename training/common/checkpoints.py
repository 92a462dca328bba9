"""Networks from weight files and from the checkpoints of a run."""

import pickle
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from preprocessing.errors import UsageError, WeightsError
from training.inference.weights import METADATA_KEY, WeightsInfo
from training.models.registry import MODELS

N = TypeVar("N", bound=nn.Module)
PREFIX = "network."  # of the network's tensors in a checkpoint of a NetworkModule


def load_network(stem: Path, info: WeightsInfo) -> nn.Module:
    """A row of MODELS with the tensors of `stem`.safetensors, in float32, ready to evaluate.

    Raises:
        WeightsError: the tensors do not fit the network that the metadata names.
    """
    path = stem.with_suffix(".safetensors")
    if info.network not in MODELS:
        raise WeightsError(f"{path}: unknown network {info.network!r}, have {', '.join(MODELS)}")
    return filled(MODELS[info.network](info.shape, dropout=0.0), stem, info)


def filled(network: N, stem: Path, info: WeightsInfo) -> N:
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
        name: (tensor.half() if half and tensor.is_floating_point() else tensor)
        .contiguous()
        .clone()
        for name, tensor in network.state_dict().items()
    }
    save_file(tensors, stem.with_suffix(".safetensors"), {METADATA_KEY: info.to_json()})


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
