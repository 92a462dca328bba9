"""The one file that knows ultralytics: trains, loads and exports YOLO networks.

Nothing is installed, downloaded or reported at run time. The network is built with one head (its
one-to-many), which learns faster in short trainings and needs suppression afterwards.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
import yaml
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F
from ultralytics.engine.exporter import Exporter
from ultralytics.models.yolo.detect import DetectionTrainer
from ultralytics.nn.tasks import DetectionModel, load_checkpoint, yaml_model_load
from ultralytics.utils import DEFAULT_CFG_DICT

from preprocessing.datasets.yolo_layout import Layout
from preprocessing.errors import UsageError, WeightsError
from training.common.checkpoints import read_tensors
from training.detection.recipes import DetectorRecipe
from training.export import halve
from training.inference.detector import openvino_detector
from training.inference.weights import METADATA_KEY, WeightsInfo

BEST, LAST = "weights/best.pt", "weights/last.pt"  # of a run, as ultralytics names them
MOST_PIXELS, MOST_SCORE = 1.0, 0.01  # by which the answers of the two files may differ


@dataclass(frozen=True)
class Epoch:
    """The figures of one epoch: number from 0, training loss, and scores on validation or nan."""

    epoch: int
    lr: float
    train_loss: float
    val_map50: float
    val_map50_95: float
    seconds: float


class _Network(DetectionModel):
    """A network whose loss is in single precision: bf16 rounds the edges of boxes to two pixels."""

    def loss(self, batch, preds=None):
        preds = self.forward(batch["img"]) if preds is None else preds
        answers = preds[1] if isinstance(preds, tuple) else preds
        answers = {
            name: [level.float() for level in value] if isinstance(value, list) else value.float()
            for name, value in answers.items()
        }
        with torch.autocast(batch["img"].device.type, enabled=False):
            return super().loss(batch, answers)


class _Trainer(DetectionTrainer):
    """ultralytics' training in bf16 with channels last, which suits CPUs with matrix units too."""

    recipe: DetectorRecipe

    def _setup_train(self):
        super()._setup_train()
        # ultralytics knows mixed precision on GPUs alone; this is what its loop asks.
        self.amp = self.amp or self.device.type == "cpu"

    def setup_model(self):
        found = super().setup_model()
        self.model = self.model.to(memory_format=torch.channels_last)
        return found

    def get_model(self, cfg=None, weights=None, verbose=True):
        model = build(cfg, classes=self.data["nc"], kind=_Network)
        if weights:
            model.load(weights)
        return model

    def preprocess_batch(self, batch):
        batch = super().preprocess_batch(batch)
        side = self.recipe.size_at(self.epoch)
        if side < self.recipe.size:
            size = (side, side)
            batch["img"] = F.interpolate(batch["img"], size, mode="bilinear", antialias=True)
        batch["img"] = batch["img"].contiguous(memory_format=torch.channels_last)
        return batch

    def validate(self):
        """Nothing while pictures are small: the network answers for larger ones later."""
        following = self.epoch + 1
        if following < self.epochs and self.recipe.size_at(following) < self.recipe.size:
            return dict.fromkeys(self.metrics, float("nan")), 0.0
        return super().validate()


def build(
    network: str | dict, *, classes: int, kind: type[DetectionModel] = DetectionModel
) -> DetectionModel:
    """An untrained network by the name of its definition, e.g. "yolo26n", or by that itself."""
    named = isinstance(network, str)
    definition = yaml_model_load(f"{Path(network).stem}.yaml") if named else network
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
    trainer = _Trainer(cfg=DEFAULT_CFG_DICT, overrides=settings)
    trainer.recipe = recipe
    if recipe.pretrained != "none":
        trainer.add_callback("on_pretrain_routine_end", _start_from(Path(recipe.pretrained)))
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
    """A recipe in ultralytics' own words."""
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


def _figures(trainer: _Trainer) -> Epoch:
    metrics = trainer.metrics
    return Epoch(
        epoch=trainer.epoch,
        lr=max(trainer.lr.values()),
        train_loss=float(sum(trainer.tloss.values())),
        val_map50=float(metrics["metrics/mAP50(B)"]),
        val_map50_95=float(metrics["metrics/mAP50-95(B)"]),
        seconds=float(trainer.epoch_time),
    )


def _start_from(path: Path) -> Callable[[_Trainer], None]:
    """Take over those tensors of a weight file that fit; other class outputs start anew."""
    tensors = read_tensors(path)

    def start(trainer: _Trainer) -> None:
        for model in (trainer.model, trainer.ema.ema):
            own = model.state_dict()
            fitting = {k: v for k, v in tensors.items() if k in own and v.shape == own[k].shape}
            model.load_state_dict(fitting)

    return start


def best_network(run: Path) -> nn.Module:
    """The averaged network of a run's checkpoint, in single precision.

    Raises:
        UsageError: the run has no whole checkpoint.
    """
    try:  # our own run's file: a pickle, which is why only safetensors are published
        network, _ = load_checkpoint(run / BEST)
    except (OSError, RuntimeError, EOFError, KeyError) as error:
        raise UsageError(f"{run} has no whole {BEST} ({error}): let training.fit finish") from error
    return network.float().eval()


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a run's best checkpoint, or of a file of weights.

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
    """The network of `stem`.safetensors: RGB shares (N, 3, H, W) to (N, 4 + classes, anchors).

    Raises:
        WeightsError: the tensors do not fit the network that the metadata names.
    """
    network = _filled(stem, info).fuse(verbose=False)
    network.model[-1].export = True  # the decoded boxes alone
    return network


def _filled(stem: Path, info: WeightsInfo) -> DetectionModel:
    path = stem.with_suffix(".safetensors")
    network = build(info.network, classes=len(info.classes))
    try:
        network.load_state_dict({k: v.float() for k, v in load_file(path).items()})
    except (OSError, SafetensorError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(f"{path} does not hold a {info.network!r} network: {reason}") from error
    return network.float().eval()


def write_checkpoint(path: Path, stem: Path, info: WeightsInfo) -> None:
    """The network of `stem`.safetensors as a checkpoint of ultralytics' own commands."""
    network = _filled(stem, info)
    network.names, network.args = dict(enumerate(info.classes)), {"imgsz": info.size}
    torch.save({"model": network, "train_args": {"imgsz": info.size}}, path)


def save_network(stem: Path, network: nn.Module, info: WeightsInfo) -> None:
    """Write `stem`.safetensors in half precision, with the metadata inside."""
    tensors = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous().clone()
        for name, tensor in network.state_dict().items()
    }
    save_file(tensors, stem.with_suffix(".safetensors"), {METADATA_KEY: info.to_json()})


def write_onnx(stem: Path, network: nn.Module, info: WeightsInfo) -> None:
    """`stem`.onnx by ultralytics' exporter, stored in half precision, with its own metadata alone.

    Inputs are RGB shares of 0 to 1, float32 (1, 3, H, W), outputs float32 (1, 4 + classes,
    anchors): what ultralytics' own predictor reads too.
    """
    settings = {"mode": "export", "format": "onnx", "imgsz": info.size, "device": "cpu",
                "dynamic": True, "simplify": False}  # fmt: skip
    network.names = dict(enumerate(info.classes))
    with tempfile.TemporaryDirectory() as folder:
        network.pt_path = str(Path(folder) / f"{info.name}.pt")
        written = Exporter(cfg=DEFAULT_CFG_DICT, overrides=settings)(model=network)
        model = onnx.load(written)
    halve(model)
    onnx.checker.check_model(model)
    onnx.save(model, stem.with_suffix(".onnx"))


def check(stem: Path, info: WeightsInfo) -> None:
    """Hold both files' answers on noise against each other.

    Raises:
        WeightsError: their boxes differ by more than a pixel, or their scores by a hundredth.
    """
    image = np.random.default_rng(0).integers(0, 256, (info.size, info.size, 3), np.uint8)
    from_onnx = openvino_detector(stem, info, precise=True)(image)
    shares = torch.from_numpy(image[None, :, :, ::-1].copy()).permute(0, 3, 1, 2).float() / 255
    with torch.inference_mode():
        from_tensors = load_network(stem, info)(shares)[0].numpy()
    difference = np.abs(from_onnx - from_tensors)
    if not (difference[:4].max() < MOST_PIXELS and difference[4:].max() < MOST_SCORE):
        raise WeightsError(f"{stem}: the two files differ by {difference[:4].max():.2g} pixels "
                           f"and {difference[4:].max():.2g} of a score")  # fmt: skip
