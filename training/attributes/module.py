"""One training step of a model of attributes, in Lightning's form."""

from collections.abc import Sequence

import numpy as np
import torch
from lightning.pytorch import LightningModule
from torch.nn import functional as F

from preprocessing.datasets.attribute_table import MISSING, Attribute
from training.attributes.metrics import judge, mean_f1
from training.attributes.recipes import AttributeRecipe
from training.common.augmentation import AUGMENTATIONS
from training.common.optimisers import freeze, optimizers
from training.models import MODELS
from training.models.backbones import load_pretrained


class AttributeTask(LightningModule):
    """A network with the mean loss of its attributes; `val_f1` is their mean macro-F1.

    Args:
        attributes: as the network answers them.
        class_weights: float32 (classes,) an attribute that weigh its loss; none for one each.
        modes: see `judge`.
    """

    def __init__(
        self,
        recipe: AttributeRecipe,
        attributes: Sequence[Attribute],
        *,
        class_weights: Sequence[torch.Tensor] = (),
        modes: np.ndarray,
    ):
        super().__init__()
        self.recipe = recipe
        self._attributes, self._modes = attributes, modes
        self._sizes = [len(attribute) for attribute in attributes]
        network = MODELS[recipe.network](recipe.shape(sum(self._sizes)), dropout=recipe.dropout)
        if recipe.pretrained != "none":
            load_pretrained(network, recipe.network, recipe.pretrained)
        self.network = network.to(memory_format=torch.channels_last)
        self._augment = AUGMENTATIONS[recipe.augment]
        self._class_weights = list(class_weights) or [None] * len(attributes)
        self._seen: list[tuple[np.ndarray, np.ndarray]] = []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.network(images)

    def on_train_epoch_start(self) -> None:
        freeze(self.network, self.recipe, epoch=self.current_epoch)

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> torch.Tensor:
        images, values = batch
        images = self._augment(images.float()).contiguous(memory_format=torch.channels_last)
        logits = self(images).float()
        loss = self.loss(logits, values)
        self.log_dict({"train_loss": loss, "train_acc": self.accuracy(logits, values)},
                      on_step=False, on_epoch=True, batch_size=len(values))  # fmt: skip
        return loss

    def loss(self, logits: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """Mean cross-entropy of the attributes over the pictures that know them."""
        losses = [
            F.cross_entropy(
                answers, truth, ignore_index=MISSING, reduction="sum",
                weight=None if weights is None else weights.to(logits.device),
            ) / (truth != MISSING).sum().clamp(min=1)
            for answers, truth, weights in zip(
                logits.split(self._sizes, dim=1), values.T, self._class_weights, strict=True
            )
        ]  # fmt: skip
        return torch.stack(losses).mean()

    def accuracy(self, logits: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """Share of the known classes that are answered."""
        answers = torch.stack([a.argmax(1) for a in logits.split(self._sizes, dim=1)], dim=1)
        known = values != MISSING
        return (answers == values)[known].float().mean() if known.any() else torch.tensor(0.0)

    def on_validation_epoch_start(self) -> None:
        self._seen = []

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> None:
        images, values = batch
        logits = self(images).float()
        self._seen.append((logits.cpu().numpy(), values.cpu().numpy()))
        self.log_dict({"val_loss": self.loss(logits, values),
                       "val_acc": self.accuracy(logits, values)},
                      on_epoch=True, batch_size=len(values))  # fmt: skip

    def on_validation_epoch_end(self) -> None:
        logits, values = map(np.concatenate, zip(*self._seen, strict=True))
        found = judge(logits, values, self._attributes, modes=self._modes)
        self.log("val_f1", mean_f1(found))

    def configure_optimizers(self) -> dict:
        return optimizers(self, self.network, self.recipe)
