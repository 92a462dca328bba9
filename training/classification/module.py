"""One training step of a classifier, in Lightning's form."""

import numpy as np
import torch
from lightning.pytorch import LightningModule
from torch import nn
from torch.nn import functional as F
from torchvision.transforms import v2

from preprocessing.errors import DataError, UsageError
from training.classification.recipes import Recipe
from training.common.augmentation import AUGMENTATIONS
from training.common.checkpoints import load_network
from training.common.data_parts import UNREADABLE
from training.common.optimisers import freeze, optimizers
from training.inference import weights
from training.models import MODELS
from training.models.backbones import BACKBONES, load_pretrained


class ClassifierTask(LightningModule):
    """A network with its loss, augmentation, optimiser and schedule.

    Args:
        class_weights: float32 (classes,) that weigh the loss; None for one each.
        max_bad: share of a training epoch's pictures that may be unreadable.

    Raises:
        UsageError: the recipe asks for what its network or teacher cannot do.
        WeightsError: the teacher's or the pretrained weights cannot be read.
    """

    def __init__(
        self,
        recipe: Recipe,
        *,
        classes: tuple[str, ...],
        class_weights: torch.Tensor | None = None,
        max_bad: float = 0.0,
    ):
        super().__init__()
        self.recipe = recipe
        build = MODELS[recipe.network]
        network = build(recipe.shape(len(classes)), dropout=recipe.dropout)
        if recipe.pretrained != "none":
            _needs_backbone(recipe, "--pretrained")
            load_pretrained(network, recipe.network, recipe.pretrained)
        if recipe.frozen_epochs or recipe.backbone_lr:
            _needs_backbone(recipe, "--freeze-backbone, --unfreeze-after and --backbone-lr")
        self.network = network.to(memory_format=torch.channels_last)
        self._augment = AUGMENTATIONS[recipe.augment]
        self._mix = make_mix(recipe.mix, classes=len(classes))
        self._class_weights = class_weights
        # In a tuple: it is no part of this module, is neither trained nor saved.
        taught = recipe.teacher != "none"
        self._teacher = (load_teacher(recipe, classes),) if taught else ()
        self._max_bad, self._seen, self._bad = max_bad, 0, 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.network(images)

    def on_fit_start(self) -> None:
        for teacher in self._teacher:
            teacher.to(self.device)

    def on_train_epoch_start(self) -> None:
        recipe, epoch = self.recipe, self.current_epoch
        ending = epoch >= recipe.epochs - recipe.last_epochs
        self._augment = AUGMENTATIONS[recipe.last_augment if ending else recipe.augment]
        freeze(self.network, recipe, epoch=epoch)
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
        loss = self._loss(logits, targets, images)
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

    def _loss(
        self, logits: torch.Tensor, targets: torch.Tensor, images: torch.Tensor
    ) -> torch.Tensor:
        recipe, class_weights = self.recipe, self._class_weights
        loss = F.cross_entropy(
            logits,
            targets,
            weight=None if class_weights is None else class_weights.to(logits.device),
            label_smoothing=recipe.label_smoothing,
        )
        for teacher in self._teacher:  # Hinton et al. 2015, arXiv 1503.02531, at temperature 1
            with torch.no_grad():
                taught = teacher(images).float().softmax(1)
            share = recipe.teacher_share
            loss = (1 - share) * loss + share * F.cross_entropy(logits, taught)
        return loss

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

    def configure_optimizers(self) -> dict:
        return optimizers(self, self.network, self.recipe)


def _needs_backbone(recipe: Recipe, flags: str) -> None:
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


def load_teacher(recipe: Recipe, classes: tuple[str, ...]) -> nn.Module:
    """The network that a recipe learns from, in evaluation mode and without gradients.

    Raises:
        WeightsError: no such weights.
        UsageError: it knows other classes or takes other images.
    """
    stem, info = weights.locate(recipe.teacher)
    if info.classes != classes:
        raise UsageError(f"--teacher {recipe.teacher} knows other classes than the data set")
    if (info.size, info.channels) != (recipe.size, recipe.channels):
        raise UsageError(
            f"--teacher {recipe.teacher} takes {info.channels} channels of {info.size} pixels, "
            f"the recipe {recipe.channels} of {recipe.size}: set --image-size"
        )
    return load_network(stem, info).requires_grad_(False)


def predict(
    network: nn.Module, loader, *, device: str = "cpu"
) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits float32 (N, classes) and labels int64 (N,) of a whole loader, on the CPU.

    Pictures that could not be read keep their place, with the label UNREADABLE.
    """
    network = network.to(device).eval()
    logits, labels = [], []
    with torch.inference_mode():
        for images, batch_labels in loader:
            logits.append(network(images.to(device)).float().cpu())
            labels.append(batch_labels)
    return torch.cat(logits), torch.cat(labels)


def readable(logits: torch.Tensor, labels: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """What `predict` gave, as arrays, without the pictures that could not be read."""
    kept = labels != UNREADABLE
    return logits[kept].numpy(), labels[kept].numpy()
