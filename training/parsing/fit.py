"""Training and publishing of parsers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader

from preprocessing.images.class_maps import CLASSES, FIRST, UNKNOWN_PIXEL, overlaps, pixel_pairs
from training.common import fit_loop
from training.common.checkpoints import base_info, load_best
from training.common.export_weights import (
    compare_outputs,
    count_parameters,
    publish,
    rounded,
    write_onnx,
)
from training.common.optimisation import NetworkModule
from training.common.runs import Run, RunConfig, read_config
from training.common.settings import ExportSettings, LightningMachine
from training.inference.parser import openvino_parser
from training.inference.weights import STRIDE, WeightsInfo
from training.models.backbones import load_pretrained
from training.parsing.data import count_pixels, masked_photos
from training.parsing.evaluate import score_parser, write_report
from training.parsing.network import Parser, SoftmaxParser
from training.parsing.settings import ParserFitSettings, ParserRecipe
from training.parsing.views import RandomViews, WholePhotos, view_sources

MAX_DIFFERENCE = 0.02  # of a probability, between the two files


class ParserModule(NetworkModule):
    """A parser with its losses; `val_iou` is the mean IoU of garments.

    Args:
        views: of training, which are others in every epoch.
        class_weights: float32 (classes,), of the pixels' loss.
    """

    recipe: ParserRecipe
    class_weights: torch.Tensor

    def __init__(self, recipe: ParserRecipe, views: RandomViews, *, class_weights: torch.Tensor):
        network = Parser(len(CLASSES), recipe.size)
        load_pretrained(network, "efficientnet-lite0", "imagenet")
        if recipe.frozen_blocks:
            network.freeze(recipe.frozen_blocks)
        super().__init__(network, recipe)
        self._views = views
        self.register_buffer("class_weights", class_weights, persistent=False)
        self._confusion = np.zeros((len(CLASSES), len(CLASSES)), np.int64)

    def on_train_epoch_start(self) -> None:
        self._views.epoch[0] = self.current_epoch

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> torch.Tensor:
        images, classes = batch
        images = images.float().contiguous(memory_format=torch.channels_last)
        logits, target = _at_half_size(self(images).float(), classes)
        loss = self._loss(logits, target)
        known = target != UNKNOWN_PIXEL
        accuracy = (logits.argmax(1) == target)[known].float().mean()
        self.log_dict({"train_loss": loss, "train_acc": accuracy}, on_step=False, on_epoch=True)
        return loss

    def _loss(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        pixels = F.cross_entropy(logits, target, self.class_weights, ignore_index=UNKNOWN_PIXEL)
        return pixels + self.recipe.dice_weight * dice_loss(logits, target)

    def on_validation_epoch_start(self) -> None:
        self._confusion[:] = 0

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> None:
        images, classes = batch
        logits = self(images).float()
        loss = self._loss(*_at_half_size(logits, classes))
        scaled = F.interpolate(logits, classes.shape[1:], mode="bilinear")
        self._confusion += pixel_pairs(classes.cpu().numpy(), scaled.argmax(1).cpu().numpy())
        self.log("val_loss", loss, on_epoch=True)

    def on_validation_epoch_end(self) -> None:
        self.log("val_iou", float(np.nanmean(overlaps(self._confusion)[FIRST:])))


def _at_half_size(logits: torch.Tensor, classes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Both at half of the input's resolution: twice that of the logits, a quarter of all pixels."""
    doubled = F.interpolate(logits, scale_factor=2.0, mode="bilinear")
    return doubled, classes[:, ::2, ::2].long()


def dice_loss(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """One minus the soft Dice overlap (Milletari et al. 2016), mean over a batch's classes.

    Args:
        logits: float32 (N, classes, H, W).
        target: classes int64 (N, H, W), or UNKNOWN_PIXEL.
    """
    known = (target != UNKNOWN_PIXEL)[:, None]
    predicted = logits.softmax(dim=1) * known
    true = F.one_hot(target.where(known[:, 0], 0), logits.shape[1]).movedim(-1, 1) * known
    both, each = (predicted * true).sum((0, 2, 3)), (predicted + true).sum((0, 2, 3))
    present = true.sum((0, 2, 3)) > 0
    return (1 - 2 * both[present] / each[present]).mean()


def pixel_class_weights(counts: torch.Tensor) -> torch.Tensor:
    """Weights of the pixels' loss, mean 1: fourth roots of the inverse class frequencies."""
    weights = (counts.sum() / counts.clamp(min=1)).double() ** 0.25
    return (weights / weights.mean()).float()


class ParserTraining:
    """See `fit_loop.Training`; opens the photos of a run.

    Raises:
        DataError, WeightsError: a data set or the teacher cannot be used.
    """

    classes = CLASSES
    best_metric = "val_iou"

    def __init__(self, settings: ParserFitSettings, run: Run):
        self._settings, self._folder = settings, run.folder
        self._photos = masked_photos(settings.data)
        sources = view_sources(settings, self._photos["training"])
        self._views = RandomViews(sources, settings.recipe, settings.seed)

    def module(self) -> ParserModule:
        counts = torch.from_numpy(count_pixels(self._photos["training"]))
        class_weights = pixel_class_weights(counts)
        return ParserModule(self._settings.recipe, self._views, class_weights=class_weights)

    def loaders(self, *, rank: int, world: int) -> tuple[DataLoader, DataLoader]:
        recipe = self._settings.recipe
        validation = WholePhotos(self._photos["validation"], recipe.photo_size)
        return self._views.loader(recipe.batch_size), validation.loader(recipe.batch_size)

    def evaluate(self, config: RunConfig) -> tuple[str, dict[str, object]]:
        return evaluate_run(self._folder)


def fit(settings: ParserFitSettings, machine: LightningMachine, run: Run) -> str | None:
    """Train the parser of the settings, publish it into its run and evaluate it.

    Returns the text to print; None after Ctrl-C.

    Raises:
        DataError, UsageError, WeightsError: a data set, the recipe or the teacher cannot be used.
    """
    return fit_loop.fit(settings, machine, run, ParserTraining(settings, run))


def evaluate_run(folder: Path) -> tuple[str, dict[str, object]]:
    """Publish the best network into its run, evaluated on validation; see `fit_loop.Training`."""
    info, text = publish_run(folder, folder)
    return text, {"count": info.metrics["validation"]["photos"], "measured_on": "validation"}


def export(settings: ExportSettings) -> str:
    """Publish the best network of a run, and return the text to print.

    Raises:
        UsageError: no such run, or it has no whole checkpoint.
        WeightsError: the two files give different probabilities.
    """
    info, text = publish_run(settings.run, settings.out)
    return f"{text}\nwrote {settings.out / info.name}.safetensors, .onnx"


def publish_run(run: Path, folder: Path) -> tuple[WeightsInfo, str]:
    """Publish the best network of a run into a folder, evaluated on the run's validation photos.

    The report is written into the run's folder; returned are the metadata and the report's table.

    Raises:
        DataError, UsageError, WeightsError: see `export`.
    """
    config, texts = read_config(run, ParserFitSettings), []
    recipe, data = config.settings.recipe, config.settings.data
    network = rounded(load_best(run, Parser(len(CLASSES), recipe.size)))
    info = replace(base_info(config, network, network_input="frame"), size=recipe.photo_size)

    def measure(stem: Path) -> WeightsInfo:
        parse, photos = openvino_parser(stem, info), masked_photos(data)["validation"]
        scores = score_parser(parse, photos, postprocessing=parse.postprocessing)
        title = f"{info.name} on the validation photos of {data}"
        texts.append(write_report(run, scores, parse, photos, title=title))
        parameters = count_parameters(network)
        return replace(info, metrics={"parameters": parameters, "validation": scores.summary()})

    published = publish(
        info,
        network,
        folder,
        write_onnx=lambda path: write_parser_onnx(path, network),
        check=lambda stem, described: check(stem, network, described),
        measure=measure,
    )
    return published, texts[0]


def write_parser_onnx(path: Path, network: Parser) -> None:
    """Write the .onnx file, in half precision.

    Inputs are BGR bytes (1, 3, H, W), outputs probabilities (1, classes, H / 4, W / 4).
    """
    side = 2 * STRIDE
    example = torch.zeros(1, 3, side, side, dtype=torch.uint8)
    blocks = {axis: STRIDE * torch.export.Dim(name, min=2)
              for axis, name in ((2, "rows"), (3, "columns"))}  # fmt: skip
    write_onnx(
        path, SoftmaxParser(network), example, half=True, dynamic=blocks, output="probabilities"
    )


def check(stem: Path, network: Parser, info: WeightsInfo) -> None:
    """Compare the probabilities of the .onnx file and of the network for noise.

    Raises:
        WeightsError: they differ by more than rounding.
    """
    noise = np.random.default_rng(0).integers(0, 256, (info.size, info.size, 3), np.uint8)
    from_onnx = openvino_parser(stem, info, precise=True)(noise)
    with torch.inference_mode():
        planes = torch.from_numpy(noise.transpose(2, 0, 1)[None].copy())
        from_network = SoftmaxParser(network)(planes)[0].numpy()
    compare_outputs(stem, from_onnx, from_network, limit=MAX_DIFFERENCE, unit="of a probability")
