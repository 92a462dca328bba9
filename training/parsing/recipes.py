"""Recipes of parsers. Imports no torch."""

from dataclasses import dataclass
from typing import Annotated

from preprocessing.flags import Check, Flag
from training.common.settings import NETWORK, LightningRecipe
from training.inference.weights import STRIDE

INPUT_SIDE = Check(
    f"a multiple of {STRIDE}, above 0", lambda value: value > 0 and value % STRIDE == 0
)


@dataclass(frozen=True, kw_only=True)
class ParserRecipe(LightningRecipe):
    """A recipe for a class for every pixel; a step sees random square views of photos.

    Attributes:
        images: views an epoch.
        single: fraction of views of a single garment instead of a person; empty: of views without
            any person or garment; background_swap: of views with another background.
        dice_weight: of the Dice loss beside that of the pixels.
        frozen_blocks: first blocks of the backbone that stay frozen: they detect edges and cloth
            already, and their large feature maps cost half of a step.
    """

    images: int
    size: Annotated[
        int,
        Flag("side of the square views of training", INPUT_SIDE, "PIXELS", NETWORK,
             name="--image-size"),
    ]  # fmt: skip
    frozen_epochs: int = 0
    single: float = 0.3
    empty: float = 0.05
    background_swap: float = 0.35
    dice_weight: float = 0.5
    frozen_blocks: int = 5

    @property
    def photo_size(self) -> int:
        """Longer side of whole photos and frames, whose people are smaller than those of views."""
        return self.size * 7 // 4 // STRIDE * STRIDE


PARSERS = {
    "parser": ParserRecipe(
        network="parser-lite0",
        epochs=56,
        images=1600,
        batch_size=16,
        size=256,
        lr=0.002,
        backbone_lr=0.0005,
        schedule="onecycle",
        optimizer="adamw",
        weight_decay=0.05,
        ema_decay=0.995,
        clip=5.0,
    ),
}
