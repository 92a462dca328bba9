"""The Lightning trainer of a run: precision, averaging, checkpoints, log and progress."""

import csv
import logging
import time
import warnings
from pathlib import Path

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint, OnExceptionCheckpoint, WeightAveraging
from tqdm import tqdm

from training.recipes import Recipe

# Lightning announces hardware it did not find, advertises, and advises worker processes for
# loaders; ours index one tensor and want none.
for _name in ("lightning.pytorch", "lightning.fabric"):
    logging.getLogger(_name).setLevel(logging.ERROR)
warnings.filterwarnings("ignore", module="lightning")
MEASURED = ("train_loss", "train_acc", "val_loss", "val_acc")
COLUMNS = ("epoch", "lr", *MEASURED, "seconds")


def warm_average(decay: float):
    """An exponential moving average that forgets the random start: its decay grows with age."""

    def average(averaged: torch.Tensor, current: torch.Tensor, age: torch.Tensor) -> torch.Tensor:
        if not averaged.is_floating_point():  # batch norm's counter
            return current
        weight = 1 - min(decay, (1 + int(age)) / (10 + int(age)))
        return averaged.lerp(current, weight)

    return average


class EpochLog(Callback):
    """A row of metrics.csv an epoch (appended when a run goes on) and a bar with the time left."""

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
        self._bar.update(trainer.global_step - self._bar.n)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        row = {name: f"{trainer.callback_metrics[name]:.5f}" for name in MEASURED}
        row |= {"epoch": str(trainer.current_epoch), "lr": f"{self._rate:.6f}"}
        row["seconds"] = f"{time.monotonic() - self._started:.1f}"
        new = not self._path.exists()
        with self._path.open("a", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            if new:
                writer.writeheader()
            writer.writerow(row)
        tqdm.write(
            f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}: "
            f"training loss {row['train_loss']} accuracy {row['train_acc']}, "
            f"validation loss {row['val_loss']} accuracy {row['val_acc']}"
        )

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if self._bar is not None:
            self._bar.close()


class InterruptCheckpoint(OnExceptionCheckpoint):
    """Saves at Ctrl-C or an error; the base class would delete its file when a run ends well."""

    def teardown(self, *_: object, **__: object) -> None:
        pass


def make_trainer(recipe: Recipe, run: Path, *, device: str) -> Trainer:
    """A trainer that writes best.ckpt (by validation accuracy), last.ckpt and metrics.csv."""
    every_epoch = {"enable_version_counter": False, "save_on_train_epoch_end": True}
    return Trainer(
        max_epochs=recipe.epochs,
        accelerator={"cuda": "gpu"}.get(device, device),
        devices=1,
        precision="bf16-mixed",
        logger=False,
        callbacks=[
            # Buffers are averaged too, so that batch norm's statistics fit the averaged weights.
            WeightAveraging(use_buffers=True, avg_fn=warm_average(recipe.ema_decay)),
            ModelCheckpoint(run, "best", monitor="val_acc", mode="max", **every_epoch),
            ModelCheckpoint(run, "last", **every_epoch),
            InterruptCheckpoint(run, "last"),
            EpochLog(run / "metrics.csv"),
        ],
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
