"""The adapter of ultralytics: trains, loads and exports YOLO networks. No other file imports it.

Nothing is installed, downloaded or reported at run time. The network is built with one head (its
one-to-many), which learns faster in short trainings and needs suppression afterwards.
"""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
import torch
import yaml
from PIL import Image
from torch import nn
from torch.nn import functional as F

# Read by ultralytics when it is imported. Its settings are kept in a private folder, which is
# removed when the process ends, not in the user's own.
if "YOLO_CONFIG_DIR" not in os.environ:
    _settings_folder = tempfile.TemporaryDirectory(prefix="ultralytics-")
    os.environ["YOLO_CONFIG_DIR"] = _settings_folder.name
os.environ.setdefault("YOLO_OFFLINE", "true")
os.environ.setdefault("YOLO_AUTOINSTALL", "false")
os.environ.setdefault("YOLO_VERBOSE", "false")
# Its checkpoints are pickles of networks: releases that read this refuse any class but those of
# networks in them, earlier ones execute what a pickle contains. Publish none.
os.environ.setdefault("ULTRALYTICS_SAFE_LOAD", "true")

from ultralytics.engine.exporter import Exporter
from ultralytics.models.yolo.detect import DetectionTrainer
from ultralytics.nn.tasks import DetectionModel, load_checkpoint, yaml_model_load
from ultralytics.utils import DEFAULT_CFG_DICT, patches

from preprocessing.datasets.yolo_layout import Layout
from preprocessing.errors import UsageError
from training.common.checkpoints import filled
from training.common.export_weights import halve
from training.common.hardware import has_bf16_units
from training.detection.settings import DetectorRecipe
from training.inference.weights import WeightsInfo
from training.models.onnx_tensors import read_tensors

# ultralytics replaces Pillow's function by one that asks for pi-heif when a file is no picture, so
# that a damaged picture would end any command of this process with an ImportError.
Image.open = getattr(patches, "_image_open", Image.open)

BEST, LAST = "weights/best.pt", "weights/last.pt"  # of a run, as ultralytics names them


@dataclass(frozen=True)
class Epoch:
    """The figures of one epoch: number from 0, training loss, and scores on validation or nan."""

    epoch: int
    lr: float
    train_loss: float
    val_map50: float
    val_map50_95: float
    seconds: float


class SinglePrecisionLoss(DetectionModel):
    """A network whose loss is in single precision: bf16 rounds the edges of boxes to two pixels."""

    def loss(self, batch: dict[str, torch.Tensor], preds: Any = None) -> Any:
        preds = self.forward(batch["img"]) if preds is None else preds
        outputs = preds[1] if isinstance(preds, tuple) else preds
        outputs = {
            name: [level.float() for level in value] if isinstance(value, list) else value.float()
            for name, value in outputs.items()
        }
        with torch.autocast(batch["img"].device.type, enabled=False):
            return super().loss(batch, outputs)


torch.serialization.add_safe_globals([SinglePrecisionLoss])  # of our own checkpoints


class Trainer(DetectionTrainer):
    """ultralytics' training with channels last, in bf16 also on CPUs that have units for it."""

    recipe: DetectorRecipe
    # Of types that the base class declares otherwise than a training has them.
    model: Any
    ema: Any
    metrics: Any
    tloss: Any

    def _setup_train(self) -> None:
        super()._setup_train()
        # ultralytics has mixed precision on GPUs alone; its loop reads this attribute.
        self.amp = self.amp or (self.device.type == "cpu" and has_bf16_units())

    def setup_model(self) -> Any:
        checkpoint = super().setup_model()
        self.model = self.model.to(memory_format=torch.channels_last)
        return checkpoint

    def get_model(self, cfg: Any = None, weights: Any = None, verbose: bool = True) -> nn.Module:
        model = build(cfg, classes=self.data["nc"], kind=SinglePrecisionLoss)
        if weights:
            model.load(weights)
        return model

    def preprocess_batch(self, batch: dict[str, Any]) -> dict[str, Any]:
        batch = super().preprocess_batch(batch)
        side = self.recipe.size_at(self.epoch)
        if side < self.recipe.size:
            size = (side, side)
            batch["img"] = F.interpolate(batch["img"], size, mode="bilinear", antialias=True)
        batch["img"] = batch["img"].contiguous(memory_format=torch.channels_last)
        return batch

    def validate(self) -> Any:
        """Skip epochs before the last one with small images: the network is used on larger ones."""
        following = self.epoch + 1
        if following < self.epochs and self.recipe.size_at(following) < self.recipe.size:
            return dict.fromkeys(self.metrics, float("nan")), 0.0
        return super().validate()


def build(
    network: str | dict[str, Any], *, classes: int, kind: type[DetectionModel] = DetectionModel
) -> DetectionModel:
    """An untrained network by the name of its definition, e.g. "yolo26n", or by that itself."""
    definition: dict[str, Any] = (
        yaml_model_load(f"{Path(network).stem}.yaml") if isinstance(network, str) else network
    )
    return kind({**definition, "end2end": False}, nc=classes, verbose=False)


def train(
    recipe: DetectorRecipe,
    layout: Layout,
    run: Path,
    *,
    seed: int,
    device: str,
    resume: bool,
    after_epoch: Callable[[Epoch], None],
) -> None:
    """Train into `run`, a checkpoint an epoch, best and last.

    Raises:
        KeyboardInterrupt: Ctrl-C; the last checkpoint stays.
        UsageError: `recipe.pretrained` is no file of weights.
    """
    settings = _settings(recipe, run, _write_data(layout, run), device=device)
    settings |= {"seed": seed, "resume": str(run / LAST) if resume else False}
    trainer = Trainer(cfg=DEFAULT_CFG_DICT, overrides=settings)
    trainer.recipe = recipe
    if recipe.start:
        trainer.add_callback("on_pretrain_routine_end", _start_from(recipe.start))
    # "on_model_save" would come before the epoch's time is known; this also comes once at the end.
    trainer.add_callback(
        "on_fit_epoch_end", lambda t: after_epoch(_figures(t)) if t.epoch < t.epochs else None
    )
    trainer.train()


def _write_data(layout: Layout, run: Path) -> Path:
    """A data.yaml with absolute folders: ultralytics takes relative ones from anywhere."""
    folders = {
        split: [str(folder.resolve()) for folder in some] for split, some in layout.folders.items()
    }
    path = run / "data.yaml"
    path.write_text(yaml.safe_dump({**folders, "names": dict(enumerate(layout.names))}))
    return path


def _settings(recipe: DetectorRecipe, run: Path, data: Path, *, device: str) -> dict[str, object]:
    """A recipe as ultralytics' arguments."""
    return {
        "model": f"{recipe.network}.yaml",
        "data": str(data),
        "project": str(run.parent.resolve()),
        "name": run.name,
        "exist_ok": True,
        "epochs": recipe.epochs,
        "batch": recipe.batch_size,
        "nbs": recipe.batch_size,
        "imgsz": recipe.size,
        "lr0": recipe.lr,
        "cos_lr": True,
        "optimizer": recipe.optimizer,
        "weight_decay": recipe.weight_decay,
        "warmup_epochs": recipe.warmup_epochs,
        "warmup_bias_lr": 0.0,
        "mosaic": recipe.mosaic,
        "close_mosaic": recipe.close_mosaic,
        "scale": recipe.scale,
        "cls": recipe.class_gain,
        "hsv_h": recipe.hue,
        "hsv_s": recipe.saturation,
        "hsv_v": recipe.brightness,
        "patience": recipe.patience or recipe.epochs,
        "device": {"cuda": 0}.get(device, device),
        "amp": device == "cuda",
        "cache": "ram",
        "plots": False,
        "verbose": False,
        "pretrained": False,
    }


def _figures(trainer: Trainer) -> Epoch:
    metrics = trainer.metrics
    return Epoch(
        epoch=trainer.epoch,
        lr=max(trainer.lr.values()),
        train_loss=float(sum(trainer.tloss.values())),
        val_map50=float(metrics["metrics/mAP50(B)"]),
        val_map50_95=float(metrics["metrics/mAP50-95(B)"]),
        seconds=float(trainer.epoch_time or 0),  # None before the first epoch ends
    )


def _start_from(path: Path) -> Callable[[Trainer], None]:
    """A callback that loads those tensors of a weight file that fit; other outputs start anew."""
    tensors = read_tensors(path)

    def start(trainer: Trainer) -> None:
        for model in (trainer.model, trainer.ema.ema):
            own = model.state_dict()
            fitting = {k: v for k, v in tensors.items() if k in own and v.shape == own[k].shape}
            model.load_state_dict(own | fitting)

    return start


def best_network(run: Path) -> DetectionModel:
    """The averaged network of a run's best checkpoint, in single precision.

    Raises:
        UsageError: the run has no whole checkpoint.
    """
    try:
        network, _ = load_checkpoint(run / BEST)
    except (OSError, RuntimeError, EOFError, KeyError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(
            f"{run} has no whole {BEST} ({reason}): let training.fit finish"
        ) from error
    return network.float().eval()


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a run's best checkpoint, or of a weight file.

    Raises:
        UsageError: neither, or not whole.
    """
    return read_tensors(path) if path.is_file() else best_network(path).state_dict()


def write_best(out: Path, run: Path, tensors: dict[str, torch.Tensor]) -> None:
    """Write the network of `run` with other tensors as the best checkpoint of `out`."""
    network = best_network(run)
    network.load_state_dict(tensors)
    path = out / BEST
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"model": network, "train_args": {}}, path)


def load_network(stem: Path, info: WeightsInfo) -> nn.Module:
    """The network of `stem`.onnx: RGB of 0 to 1 (N, 3, H, W) to (N, 4 + classes, anchors).

    Raises:
        WeightsError: the tensors do not fit the network that the metadata names.
    """
    network = _filled(stem, info).fuse(verbose=False)
    network.model[-1].export = True  # the decoded boxes alone
    return network


def _filled(stem: Path, info: WeightsInfo) -> DetectionModel:
    return filled(build(info.network, classes=len(info.classes)), stem, info)


def write_checkpoint(path: Path, stem: Path, info: WeightsInfo) -> None:
    """Write the network of `stem`.onnx as a checkpoint for ultralytics' own commands."""
    network: Any = _filled(stem, info)  # it declares none of the attributes that it reads
    network.names, network.args = dict(enumerate(info.classes)), {"imgsz": info.size}
    torch.save({"model": network, "train_args": {"imgsz": info.size}}, path)


def write_onnx(path: Path, network: Any, info: WeightsInfo) -> None:
    """Write the .onnx file by ultralytics' exporter, in half precision, with its own metadata.

    Inputs are RGB of 0 to 1, float32 (1, 3, H, W), outputs float32 (1, 4 + classes, anchors), as
    ultralytics' predictor reads them too.

    Args:
        network: a DetectionModel, which does not declare all attributes that the exporter reads.
    """
    settings = {"mode": "export", "format": "onnx", "imgsz": info.size, "device": "cpu",
                "dynamic": True, "simplify": False}  # fmt: skip
    network.names = dict(enumerate(info.classes))
    with tempfile.TemporaryDirectory() as folder:
        network.pt_path = str(Path(folder) / f"{info.name}.pt")
        model = onnx.load(Exporter(cfg=DEFAULT_CFG_DICT, overrides=settings)(model=network))
    halve(model)
    onnx.checker.check_model(model)
    onnx.save(model, path)
