"""A training by Lightning from its settings to its report: the same for all tasks but one."""

from pathlib import Path
from typing import Protocol

from lightning.pytorch import seed_everything
from torch.utils.data import DataLoader

from training.common.checkpoints import load_best
from training.common.module import NetworkModule
from training.common.reports import plot_curves
from training.common.runs import (
    METRICS,
    Run,
    RunConfig,
    enter_index,
    is_main_process,
    minutes,
    read_config,
    read_metrics,
    write_config,
)
from training.common.settings import LightningFitSettings, LightningMachine
from training.common.trainer import fit_module, make_trainer

LAST = "last.ckpt"  # in a run folder: what a resumed run starts from


class Training(Protocol):
    """A task's part of a training; its data set is open when it is made."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the network's outputs."""

    @property
    def best_metric(self) -> str:
        """The logged metric whose highest value selects best.ckpt, or "epoch" for the last one."""

    def module(self) -> NetworkModule:
        """The network with its training step, untrained."""

    def loaders(self, *, rank: int, world: int) -> tuple[DataLoader, DataLoader | None]:
        """Batches to train and to validate on, in one process of several."""

    def evaluate(self, config: RunConfig) -> tuple[str, dict[str, object]]:
        """Evaluate the best network and write the report.

        Returns:
            The text to print, and figures for the run index.
        """


def fit(
    settings: LightningFitSettings, machine: LightningMachine, run: Run, training: Training
) -> str | None:
    """Train into a run folder and evaluate.

    Returns:
        The text to print, empty in further processes; None if Ctrl-C or a signal ended it early.

    Raises:
        UsageError: --init is another network.
        DeviceError: the device is not there.
    """
    if is_main_process() and not run.resumed:
        write_config(run, settings, classes=training.classes)
    machine = machine.chosen()
    seed_everything(settings.seed, verbose=False)
    module = training.module()
    if settings.init:
        load_best(settings.init, module.network).train()
    trainer = make_trainer(settings.recipe, run.folder, machine, best=training.best_metric)
    batches, validation = training.loaders(rank=trainer.global_rank, world=trainer.world_size)
    checkpoint = run.folder / LAST if run.resumed else None
    if not fit_module(trainer, module, batches, validation, checkpoint=checkpoint):
        return None
    if not is_main_process():
        return ""
    return _finish(run.folder, settings, module, training)


def _finish(
    folder: Path, settings: LightningFitSettings, module: NetworkModule, training: Training
) -> str:
    """Draw the curves, evaluate, and enter the run index: the text to print."""
    config, epochs = read_config(folder, type(settings)), read_metrics(folder / METRICS)
    plot_curves(folder / "curves.png", epochs)
    text, figures = training.evaluate(config)
    parameters = sum(p.numel() for p in module.network.parameters())
    enter_index(folder, config, **{"parameters": parameters, **figures})
    return f"trained {len(epochs)} epochs in {minutes(epochs)} min\n{text}\nwrote {folder}"
