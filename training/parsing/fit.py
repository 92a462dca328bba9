"""Training and publishing of parsers."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader

from preprocessing.datasets.masked_photos import masked_photos
from preprocessing.images.class_maps import (
    BACKGROUND,
    CLASSES,
    FIRST,
    UNKNOWN_PIXEL,
    overlaps,
    pixel_pairs,
)
from preprocessing.synthesis.people.materials import read_materials
from preprocessing.synthesis.people.views import OTHER_PERSON
from training.common import fit_loop
from training.common.checkpoints import base_info, filled, load_best
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
from training.inference.weights import STRIDE, WeightsInfo, locate_for, verified
from training.models.backbones import load_pretrained
from training.parsing.evaluate import score_parser, write_report
from training.parsing.losses import (
    at_half_size,
    count_pixels,
    dice_loss,
    imitation_loss,
    pixel_class_weights,
)
from training.parsing.network import (
    NETWORKS,
    Parser,
    SoftmaxParser,
    with_other_person,
)
from training.parsing.settings import ParserFitSettings, ParserRecipe
from training.parsing.views import (
    WORKERS,
    ComposedBatches,
    training_batches,
    validation_batches,
)

MAX_DIFFERENCE = 0.02  # of a probability, between the two files
COUNTED_BATCHES = 4  # of which the classes' pixels are counted


class ParserModule(NetworkModule):
    """A parser with its losses; `val_iou` is the mean IoU of garments.

    Args:
        views: of training, which are others in every epoch.
        class_weights: float32 (OUTPUTS,), of the pixels' loss.
        teacher: whose probabilities are learned too.
    """

    recipe: ParserRecipe
    class_weights: torch.Tensor

    def __init__(
        self,
        recipe: ParserRecipe,
        views: ComposedBatches,
        *,
        class_weights: torch.Tensor,
        teacher: Parser | None = None,
    ):
        network = Parser(recipe.network, size=recipe.size)
        load_pretrained(network, NETWORKS[recipe.network][0], "imagenet")
        network.register_load_state_dict_pre_hook(with_other_person)
        super().__init__(network, recipe)
        self._views = views
        self._teacher = (teacher,)  # in a tuple, so that it is no part of checkpoints
        self.register_buffer("class_weights", class_weights, persistent=False)
        self._confusion = np.zeros((len(CLASSES), len(CLASSES)), np.int64)

    def on_train_epoch_start(self) -> None:
        self._views.epoch[0] = self.current_epoch

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> torch.Tensor:
        images, classes = batch
        images = images.float().contiguous(memory_format=torch.channels_last)
        answer = self(images).float()
        logits, target = at_half_size(answer, classes)
        loss = self._loss(logits, target)
        known = target != UNKNOWN_PIXEL
        accuracy = (logits.argmax(1) == target)[known].float().mean()
        self.log_dict(
            {"train_loss": loss, "train_acc": accuracy},
            on_step=False, on_epoch=True, batch_size=len(images),
        )  # fmt: skip
        return self._with_imitation(loss, answer, images)

    def _loss(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        pixels = F.cross_entropy(logits, target, self.class_weights, ignore_index=UNKNOWN_PIXEL)
        return pixels + self.recipe.dice_weight * dice_loss(logits, target)

    def _with_imitation(
        self, loss: torch.Tensor, logits: torch.Tensor, images: torch.Tensor
    ) -> torch.Tensor:
        """The loss with that of the teacher's probabilities, if there is a teacher."""
        (teacher,) = self._teacher
        if teacher is None:
            return loss
        with torch.no_grad():
            target = teacher.to(images.device)(images).float()
        weight = self.recipe.imitation
        return (1 - weight / 2) * loss + weight * imitation_loss(logits, target)

    def on_validation_epoch_start(self) -> None:
        self._confusion[:] = 0

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> None:
        images, classes = batch
        logits = self(images).float()
        loss = self._loss(*at_half_size(logits, classes))
        scaled = F.interpolate(logits, classes.shape[1:], mode="bilinear")
        predicted = scaled.argmax(1).to(torch.uint8)
        true, found = (
            torch.where(labels == OTHER_PERSON, BACKGROUND, labels).cpu().numpy()
            for labels in (classes, predicted)
        )
        self._confusion += pixel_pairs(true, found)
        self.log("val_loss", loss, on_epoch=True, batch_size=len(images))

    def on_validation_epoch_end(self) -> None:
        self.log("val_iou", float(np.nanmean(overlaps(self._confusion)[FIRST:])))


class ParserTraining:
    """See `fit_loop.Training`; opens the photos of a run.

    Raises:
        DataError, WeightsError: a data set or the teacher cannot be used.
    """

    classes = CLASSES
    best_metric = "val_iou"

    def __init__(self, settings: ParserFitSettings, run: Run):
        self._settings, self._folder = settings, run.folder
        recipe = settings.recipe
        self._teacher = load_teacher(settings.teacher) if settings.teacher else None
        materials = read_materials(settings.folders, seed=settings.seed)
        self._views = training_batches(materials["training"], recipe, settings.seed)
        self._validation = validation_batches(materials["validation"], recipe)

    def module(self) -> ParserModule:
        counts = count_pixels(islice(iter(self._views), COUNTED_BATCHES))
        return ParserModule(
            self._settings.recipe,
            self._views,
            class_weights=pixel_class_weights(counts),
            teacher=self._teacher,
        )

    def loaders(self, *, rank: int, world: int) -> tuple[DataLoader, DataLoader]:
        return self._views.loader(workers=WORKERS), self._validation.loader(workers=0)

    def evaluate(self, config: RunConfig) -> tuple[str, dict[str, object]]:
        return evaluate_run(self._folder)


def load_teacher(model: str) -> Parser:
    """The network of a committed parser or of a weight file.

    Raises:
        WeightsError: there is none, or it has no output for other people.
    """
    stem, info = locate_for("parse", model)
    verified(stem.with_suffix(".onnx"))
    return filled(Parser(info.network), stem, info)


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
        WeightsError: the file's graph and its tensors give different probabilities.
    """
    info, text = publish_run(settings.run, settings.out)
    return f"{text}\nwrote {settings.out / info.name}.onnx"


def publish_run(run: Path, folder: Path) -> tuple[WeightsInfo, str]:
    """Publish the best network of a run into a folder, evaluated on the run's validation photos.

    The report is written into the run's folder; returned are the metadata and the report's table.

    Raises:
        DataError, UsageError, WeightsError: see `export`.
    """
    config, texts = read_config(run, ParserFitSettings), []
    recipe, data = config.settings.recipe, config.settings.data
    network = rounded(load_best(run, Parser(recipe.network, size=recipe.size)))
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
        check=check,
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


def check(stem: Path, info: WeightsInfo) -> None:
    """Compare the probabilities of the file's graph and of its tensors for noise.

    Raises:
        WeightsError: they differ by more than rounding.
    """
    noise = np.random.default_rng(0).integers(0, 256, (info.size, info.size, 3), np.uint8)
    from_onnx = openvino_parser(stem, info, precision="fp32")(noise)
    network = SoftmaxParser(filled(Parser(info.network), stem, info))
    with torch.inference_mode():
        planes = torch.from_numpy(noise.transpose(2, 0, 1)[None].copy())
        from_tensors = network(planes)[0].numpy()
    compare_outputs(stem, from_onnx, from_tensors, limit=MAX_DIFFERENCE, unit="of a probability")
