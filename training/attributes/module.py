"""Training step of a model of attributes, as a Lightning module."""

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional as F

from preprocessing.datasets.attribute_table import MISSING, Attribute
from training.attributes.recipes import AttributeRecipe
from training.common.augmentation import AUGMENTATIONS
from training.common.metrics import mean_f1, score_attributes
from training.common.module import NetworkModule, freeze
from training.models.backbones import BackboneNetwork, load_pretrained


class AttributeModule(NetworkModule):
    """A network with the mean loss of its attributes; `val_f1` is their mean macro-F1.

    Args:
        attributes: of the network's outputs.
        class_weights: float32 (classes,) an attribute, of its loss; none for equal weights.
        modes: see `score_attributes`.
    """

    recipe: AttributeRecipe
    network: BackboneNetwork

    def __init__(
        self,
        recipe: AttributeRecipe,
        attributes: Sequence[Attribute],
        *,
        class_weights: Sequence[torch.Tensor] = (),
        modes: np.ndarray,
    ):
        sizes = [len(attribute) for attribute in attributes]
        shape = recipe.shape(sum(sizes))
        network = BackboneNetwork(recipe.network, shape, dropout=recipe.dropout)
        if recipe.pretrained != "none":
            load_pretrained(network, recipe.network, recipe.pretrained)
        super().__init__(network, recipe)
        self._attributes, self._modes, self._sizes = attributes, modes, sizes
        self._augment = AUGMENTATIONS[recipe.augment]
        self._class_weights = class_weights or [torch.ones(size) for size in sizes]
        self._predictions: list[tuple[np.ndarray, np.ndarray]] = []

    def on_train_epoch_start(self) -> None:
        freeze(self.network.backbone, self.recipe, epoch=self.current_epoch)

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> torch.Tensor:
        images, values = batch
        images = self._augment(images.float()).contiguous(memory_format=torch.channels_last)
        logits = self(images).float()
        loss = self.loss(logits, values)
        self.log_dict({"train_loss": loss, "train_acc": self.accuracy(logits, values)},
                      on_step=False, on_epoch=True, batch_size=len(values))  # fmt: skip
        return loss

    def loss(self, logits: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """Mean cross-entropy of the attributes over the pictures whose classes are known."""
        losses = [
            F.cross_entropy(own, truth, weights.to(logits.device), ignore_index=MISSING,
                            reduction="sum") / (truth != MISSING).sum().clamp(min=1)
            for own, truth, weights in zip(
                logits.split(self._sizes, dim=1), values.T, self._class_weights, strict=True
            )
        ]  # fmt: skip
        return torch.stack(losses).mean()

    def accuracy(self, logits: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """Fraction of the known classes that are predicted."""
        predicted = [own.argmax(dim=1) for own in logits.split(self._sizes, dim=1)]
        known = values != MISSING
        right = (torch.stack(predicted, dim=1) == values)[known]
        return right.float().mean() if known.any() else torch.tensor(0.0)

    def on_validation_epoch_start(self) -> None:
        self._predictions = []

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> None:
        images, values = batch
        logits = self(images).float()
        self._predictions.append((logits.cpu().numpy(), values.cpu().numpy()))
        self.log_dict({"val_loss": self.loss(logits, values),
                       "val_acc": self.accuracy(logits, values)},
                      on_epoch=True, batch_size=len(values))  # fmt: skip

    def on_validation_epoch_end(self) -> None:
        logits, values = map(np.concatenate, zip(*self._predictions, strict=True))
        scores = score_attributes(logits, values, self._attributes, modes=self._modes)
        self.log("val_f1", mean_f1(scores))
