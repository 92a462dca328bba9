"""A training by Lightning from its settings to its report: the same for all tasks but one."""

from dataclasses import replace
from typing import Protocol

from lightning.pytorch import seed_everything
from torch.utils.data import DataLoader

from training.common.checkpoints import load_best
from training.common.devices import choose_device
from training.common.module import NetworkModule
from training.common.run_folder import Run, is_main_process, write_config
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

    def finish(self) -> str:
        """Evaluate the best network, write the report, enter the run index: the text to print."""


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
    machine = replace(machine, device=choose_device(machine.device))
    seed_everything(settings.seed, verbose=False)
    module = training.module()
    if settings.init:
        load_best(settings.init, module.network).train()
    trainer = make_trainer(settings.recipe, run.folder, machine, best=training.best_metric)
    batches, validation = training.loaders(rank=trainer.global_rank, world=trainer.world_size)
    checkpoint = run.folder / LAST if run.resumed else None
    if not fit_module(trainer, module, batches, validation, checkpoint=checkpoint):
        return None
    return training.finish() if is_main_process() else ""
