"""A training by Lightning: trainer, precision, checkpoints, log, and the course to the report."""

import csv
import logging
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

import torch
from lightning.pytorch import Callback, LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import (
    EarlyStopping,
    ModelCheckpoint,
    OnExceptionCheckpoint,
    WeightAveraging,
)
from lightning.pytorch.loggers import Logger, TensorBoardLogger, WandbLogger
from torch.utils.data import DataLoader
from tqdm import tqdm

from preprocessing.errors import UsageError
from training.common.checkpoints import load_best
from training.common.hardware import has_bf16_units
from training.common.optimisation import NetworkModule
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
from training.common.settings import (
    LightningFitSettings,
    LightningMachine,
    LightningRecipe,
)

# Lightning announces hardware it did not find, advertises, and advises worker processes for
# loaders; ours index one tensor and want none.
for _name in ("lightning.pytorch", "lightning.fabric"):
    logging.getLogger(_name).setLevel(logging.ERROR)
warnings.filterwarnings("ignore", module="lightning")
MEASURED = {
    "train_loss": "training loss",
    "train_acc": "training accuracy",
    "val_loss": "validation loss",
    "val_acc": "validation accuracy",
    "val_iou": "validation IoU",
    "val_f1": "validation macro-F1",
    "val_score": "validation score",
}
Precision = Literal["bf16-mixed", "16-mixed", "32-true"]
PRECISION: dict[str, Precision] = {  # in Lightning's terms
    "bf16": "bf16-mixed", "fp16": "16-mixed", "single": "32-true",
}  # fmt: skip
LAST = "last.ckpt"  # in a run folder: what a resumed run starts from
COLUMNS = ("epoch", "lr", *MEASURED, "seconds")


def warm_average(decay: float) -> Callable[..., torch.Tensor]:
    """An exponential moving average that forgets the random start: its decay grows with age."""

    def average(averaged: torch.Tensor, current: torch.Tensor, age: torch.Tensor) -> torch.Tensor:
        if not averaged.is_floating_point():  # batch norm's counter
            return current
        weight = 1 - min(decay, (1 + int(age)) / (10 + int(age)))
        return averaged.lerp(current, weight)

    return average


class EpochLog(Callback):
    """A row of metrics.csv an epoch (appended when a run is resumed), and a progress bar."""

    def __init__(self, path: Path):
        self._path = path
        self._bar: tqdm | None = None
        self._rate, self._started = 0.0, 0.0  # learning rate and clock at the epoch's start

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        total = int(trainer.estimated_stepping_batches)
        # disable=None: no bar where stderr is no terminal; the line an epoch stays.
        self._bar = tqdm(total=total, initial=trainer.global_step, unit="step", disable=None)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._started = time.monotonic()
        self._rate = trainer.optimizers[0].param_groups[0]["lr"]

    def on_train_batch_end(self, trainer: Trainer, *_: object) -> None:
        if self._bar is not None:
            self._bar.update(trainer.global_step - self._bar.n)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        found = trainer.callback_metrics
        row = {name: f"{found[name]:.5f}" for name in MEASURED if name in found}
        row |= {"epoch": str(trainer.current_epoch), "lr": f"{self._rate:.6f}"}
        row["seconds"] = f"{time.monotonic() - self._started:.1f}"
        new = not self._path.exists()
        with self._path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS)
            if new:
                writer.writeheader()
            writer.writerow(row)
        tqdm.write(
            f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}: "
            + ", ".join(f"{title} {row[name]}" for name, title in MEASURED.items() if name in row)
        )

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if self._bar is not None:
            self._bar.close()


class InterruptCheckpoint(OnExceptionCheckpoint):
    """Saves at Ctrl-C or an error; the base class would delete its file when a run ends well."""

    def teardown(self, *_: object, **__: object) -> None:
        pass


class EpochCheckpoint(ModelCheckpoint):
    """A checkpoint an epoch in one file, the last or the best one."""

    def __init__(self, run: Path, name: str, *, monitor: str | None = None, mode: str = "min"):
        super().__init__(
            run, name, monitor=monitor, mode=mode, save_on_train_epoch_end=True,
            enable_version_counter=False,
        )  # fmt: skip


def make_trainer(
    recipe: LightningRecipe, run: Path, machine: LightningMachine, *, best: str
) -> Trainer:
    """A trainer that writes best.ckpt (by the highest value of `best`), last.ckpt and metrics.csv.

    Args:
        machine: with its device chosen, not "auto".
        best: a logged metric; without a validation subset, "epoch" makes the last one the best.

    Raises:
        UsageError: the logger's package is missing.
    """
    callbacks: list[Callback] = [
        # Buffers are averaged too, so that batch norm's statistics fit the averaged weights.
        WeightAveraging(use_buffers=True, avg_fn=warm_average(recipe.ema_decay)),
        EpochCheckpoint(run, "best", monitor=best, mode="max"),
        EpochCheckpoint(run, "last"),
        InterruptCheckpoint(run, "last"),
        EpochLog(run / "metrics.csv"),
    ]
    if recipe.patience:
        callbacks.append(EarlyStopping("val_loss", patience=recipe.patience))
    return Trainer(
        max_epochs=recipe.epochs,
        accelerator={"cuda": "gpu"}.get(machine.device, machine.device),
        devices=machine.devices,
        num_nodes=machine.nodes,
        strategy=_strategy(recipe, machine),
        use_distributed_sampler=False,  # our own sampler splits the batches
        precision=_precision(machine),
        gradient_clip_val=recipe.clip or None,
        logger=make_logger(machine.logger, run),
        callbacks=callbacks,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )


def fit_module(
    trainer: Trainer,
    module: LightningModule,
    training: DataLoader,
    validation: DataLoader | None,
    *,
    checkpoint: Path | None,
) -> bool:
    """Train, from a checkpoint if one is given; False when Ctrl-C or a signal ended it early."""
    try:
        trainer.fit(module, training, validation, ckpt_path=checkpoint, weights_only=True)
    except (KeyboardInterrupt, SystemExit):
        return False
    return bool(trainer.state.finished)


def _precision(machine: LightningMachine) -> Precision:
    """The precision in Lightning's terms.

    Raises:
        UsageError: half precision on a CPU.
    """
    if machine.precision == "fp16" and machine.device == "cpu":
        raise UsageError("--precision fp16 needs a GPU: use bf16 or single on a CPU")
    if machine.precision == "auto":
        return PRECISION["bf16" if has_bf16_units(machine.device) else "single"]
    return PRECISION[machine.precision]


def _strategy(recipe: LightningRecipe, machine: LightningMachine) -> str:
    if machine.devices * machine.nodes == 1:
        return "auto"
    # A frozen backbone has parameters without gradients, which plain ddp takes for a mistake.
    frozen = recipe.frozen_epochs and machine.strategy == "ddp"
    return "ddp_find_unused_parameters_true" if frozen else machine.strategy


def make_logger(name: str, run: Path) -> Logger | bool:
    """Lightning's logger into the run's folder; metrics.csv is written whatever it is.

    Raises:
        UsageError: its package is not installed.
    """
    try:
        if name == "tensorboard":
            return TensorBoardLogger(run, name="tensorboard", version="")
        if name == "wandb":
            return WandbLogger(name=run.name, save_dir=run, project="garments")
    except ImportError as error:
        raise UsageError(f"--logger {name} needs a package: `pip install {name}`") from error
    return False


class Training(Protocol):
    """One training of one task; its data set is open when it is made."""

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
