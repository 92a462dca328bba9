"""Averages of the weights of two runs of one network (Wortsman et al. 2022, arXiv 2109.01903)."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import torch

from preprocessing.errors import UsageError
from training.common.checkpoints import read_state
from training.common.run_folder import CONFIG, DATA, Run, read_raw_config
from training.common.settings import AverageSettings

State = dict[str, torch.Tensor]


def average_runs(settings: AverageSettings, run: Run) -> str:
    """Write a run whose best checkpoint is the average of two by Lightning: the text to print.

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
