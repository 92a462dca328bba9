"""Named recipes of parsers: PARSERS, as RECIPES are those of classifiers. Imports no torch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ParserRecipe:
    """Everything that decides a parser's training, besides its data and its seed."""

    network: str
    epochs: int
    images: int  # views an epoch
    batch_size: int
    size: int  # side of the square views in pixels
    lr: float  # highest learning rate of the decoder
    backbone_lr: float
    schedule: str = "onecycle"
    optimizer: str = "adamw"
    weight_decay: float = 0.05
    single: float = 0.3  # share of views that show a single garment, not a person
    scenes: float = 0.05  # share of views without any person or garment
    regrounded: float = 0.35  # share of views put on another ground
    ema_decay: float = 0.995
    clip: float = 5.0
    dice: float = 0.5  # weight of the overlap's loss beside that of the pixels
    # First blocks of the backbone that stay as they are: they tell edges and cloth already, and
    # their large maps cost half of a step.
    frozen_blocks: int = 5
    patience: int = 0
    frozen_epochs: int = 0


PARSERS = {
    "parser": ParserRecipe(
        network="parser-lite0",
        epochs=56,
        images=1600,
        batch_size=16,
        size=256,
        lr=0.002,
        backbone_lr=0.0005,
    ),
}
