"""Training of classifiers: the training step in Lightning's form, and what a run trains on."""

import json

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader
from torchvision.transforms import v2

from preprocessing.errors import DataError, UsageError
from training.classification.data import open_splits
from training.classification.evaluate import evaluate_run
from training.classification.losses import cross_entropy, distilled
from training.classification.recipes import ClassifierRecipe
from training.classification.settings import ClassifierFitSettings
from training.common.augmentation import AUGMENTATIONS
from training.common.checkpoints import load_model, new_network
from training.common.optimisation import NetworkModule, freeze
from training.common.runs import METRICS, REPORT, Run, RunConfig, read_metrics
from training.common.subsets import UNREADABLE, Sampling, class_weights
from training.models.backbones import BACKBONES, backbone_of, load_pretrained

BEFORE_REFIT = "before the refit"  # where the figures of a refitted run were measured


class ClassifierModule(NetworkModule):
    """A classifier with its loss, augmentation and teacher.

    Args:
        class_weights: float32 (classes,) that weigh the loss; None for one each.
        max_bad: fraction of a training epoch's pictures that may be unreadable.

    Raises:
        UsageError: the recipe asks for what its network or teacher cannot do.
        WeightsError: the teacher's or the pretrained weights cannot be read.
    """

    recipe: ClassifierRecipe

    def __init__(
        self,
        recipe: ClassifierRecipe,
        *,
        classes: tuple[str, ...],
        class_weights: torch.Tensor | None = None,
        max_bad: float = 0.0,
    ):
        super().__init__(build_network(recipe, len(classes)), recipe)
        self._augment = AUGMENTATIONS[recipe.augment]
        self._mix = make_mix(recipe.mix, classes=len(classes))
        self._class_weights = class_weights
        # In a tuple: it is no part of this module, is neither trained nor saved.
        has_teacher = recipe.teacher != "none"
        self._teacher = (load_teacher(recipe, classes),) if has_teacher else ()
        self._max_bad, self._seen, self._bad = max_bad, 0, 0

    def on_fit_start(self) -> None:
        for teacher in self._teacher:
            teacher.to(self.device)

    def on_train_epoch_start(self) -> None:
        recipe, epoch = self.recipe, self.current_epoch
        ending = epoch >= recipe.epochs - recipe.last_epochs
        self._augment = AUGMENTATIONS[recipe.last_augment if ending else recipe.augment]
        if recipe.frozen_epochs:
            freeze(backbone_of(self.network), recipe, epoch=epoch)
        self._seen = self._bad = 0

    def training_step(
        self, batch: tuple[torch.Tensor, torch.Tensor], _: int
    ) -> torch.Tensor | None:
        images, labels = self._readable(*batch)
        if not len(labels):
            return None
        images = self._augment(images.float())
        targets = labels
        if self._mix:
            images, targets = self._mix(images, labels)
        images = images.contiguous(memory_format=torch.channels_last)
        logits = self(images).float()
        loss = cross_entropy(
            logits,
            targets,
            class_weights=self._class_weights,
            label_smoothing=self.recipe.label_smoothing,
        )
        fraction = self.recipe.teacher_fraction
        loss = distilled(loss, logits, images, teachers=self._teacher, fraction=fraction)
        accuracy = (logits.argmax(1) == labels).float().mean()
        self._log(train_loss=loss, train_acc=accuracy, count=len(labels))
        return loss

    def _readable(
        self, images: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        readable = labels != UNREADABLE
        self._seen += len(labels)
        if readable.all():
            return images, labels
        self._bad += int((~readable).sum())
        return images[readable], labels[readable]

    def on_train_epoch_end(self) -> None:
        loss = self.trainer.callback_metrics.get("train_loss")
        if loss is not None and not torch.isfinite(loss):
            raise UsageError(
                f"training diverged in epoch {self.current_epoch + 1}: lower --lr, or set --clip"
            )
        if self._bad > self._max_bad * self._seen:
            raise DataError(
                f"{self._bad} of {self._seen} pictures of an epoch were unreadable, more than "
                f"--max-bad {self._max_bad:g}; they are listed in the run's folder"
            )

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> None:
        images, labels = batch
        readable = labels != UNREADABLE
        images, labels = images[readable], labels[readable]
        if len(labels):
            logits = self(images).float()
            accuracy = (logits.argmax(1) == labels).float().mean()
            loss = F.cross_entropy(logits, labels)
            self._log(val_loss=loss, val_acc=accuracy, count=len(labels))

    def _log(self, *, count: int, **values: torch.Tensor) -> None:
        several = self.trainer.world_size > 1
        for name, value in values.items():
            self.log(name, value, on_step=False, on_epoch=True, batch_size=count, sync_dist=several)


def build_network(recipe: ClassifierRecipe, classes: int) -> nn.Module:
    """The untrained network of a recipe, its backbone filled with the pretrained weights.

    Raises:
        UsageError: the recipe needs a backbone, and the network has none.
        WeightsError: the pretrained weights cannot be read.
    """
    network = new_network(recipe, classes, dropout=recipe.dropout)
    if recipe.pretrained != "none":
        _needs_backbone(recipe, "--pretrained")
        load_pretrained(network, recipe.network, recipe.pretrained)
    if recipe.frozen_epochs or recipe.backbone_lr:
        _needs_backbone(recipe, "--freeze-backbone, --unfreeze-after and --backbone-lr")
    return network


def _needs_backbone(recipe: ClassifierRecipe, flags: str) -> None:
    if recipe.network not in BACKBONES:
        raise UsageError(
            f"{recipe.network} has no backbone for {flags}: have {', '.join(BACKBONES)}"
        )


def make_mix(name: str, *, classes: int) -> v2.Transform | None:
    """Mixup (Zhang et al. 2017), CutMix (Yun et al. 2019), or one of the two a batch."""
    kinds = {
        "mixup": [v2.MixUp(alpha=0.2, num_classes=classes)],
        "cutmix": [v2.CutMix(alpha=1.0, num_classes=classes)],
    }
    kinds["both"] = kinds["mixup"] + kinds["cutmix"]
    return v2.RandomChoice(kinds[name]) if name != "none" else None


def load_teacher(recipe: ClassifierRecipe, classes: tuple[str, ...]) -> nn.Module:
    """The network that a recipe distils from, in evaluation mode and without gradients.

    Raises:
        WeightsError: no such weights.
        UsageError: it has other classes or another input.
    """
    network, info = load_model(recipe.teacher)
    if info.classes != classes:
        raise UsageError(f"--teacher {recipe.teacher} has other classes than the data set")
    if (info.size, info.channels) != (recipe.size, recipe.channels):
        raise UsageError(
            f"--teacher {recipe.teacher} takes {info.channels} channels of {info.size} pixels, "
            f"the recipe {recipe.channels} of {recipe.size}: set --image-size"
        )
    return network.requires_grad_(False)


class ClassifierTraining:
    """See `fitting.Training`; opens the data set of a run.

    Raises:
        DataError: the data set cannot be used.
    """

    def __init__(self, settings: ClassifierFitSettings, run: Run):
        self._settings, self._folder = settings, run.folder
        run.folder.mkdir(parents=True, exist_ok=True)
        self._splits = open_splits(settings, run)
        self.classes = self._splits.classes
        self.best_metric = "val_acc" if self._splits.validation else "epoch"

    def module(self) -> ClassifierModule:
        recipe, labels = self._settings.recipe, self._splits.training.labels
        weights = None
        if recipe.balance == "loss":
            weights = class_weights(labels, classes=len(self.classes))
        return ClassifierModule(
            recipe,
            classes=self.classes,
            class_weights=weights,
            max_bad=self._settings.rules.max_bad,
        )

    def loaders(self, *, rank: int, world: int) -> tuple[DataLoader, DataLoader | None]:
        recipe, validation = self._settings.recipe, self._splits.validation
        sampling = Sampling(
            recipe.batch_size,
            self._settings.seed,
            balanced=recipe.balance == "sampling",
            rank=rank,
            world=world,
        )
        return self._splits.training.loader(sampling), validation.loader() if validation else None

    def evaluate(self, config: RunConfig[ClassifierFitSettings]) -> tuple[str, dict[str, object]]:
        text, refit = "", config.settings.refit
        if refit:
            figures = json.loads((refit / REPORT).read_text()) | {"measured_on": BEFORE_REFIT}
            (self._folder / REPORT).write_text(json.dumps(figures, indent=1) + "\n")
        else:
            text = evaluate_run(self._folder)
            figures = json.loads((self._folder / REPORT).read_text())
        epochs = read_metrics(self._folder / METRICS)
        accuracies = [float(row["val_acc"]) for row in epochs if row.get("val_acc")]
        photos = config.settings.recipe.channels == 3
        return text, figures | {
            "data": "photos" if photos else "Fashion-MNIST",
            "validation_accuracy": max(accuracies, default=""),
        }
