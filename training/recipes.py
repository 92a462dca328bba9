"""Named recipes: which network, and how it is trained. Command-line flags replace single fields."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run, besides its data and its seed."""

    network: str  # a row of MODELS
    epochs: int
    batch_size: int
    lr: float  # the highest learning rate of the schedule
    schedule: str  # a row of SCHEDULES
    augment: str  # a row of AUGMENTATIONS
    weight_decay: float = 5e-4  # not applied to biases and normalisation layers
    momentum: float = 0.9
    label_smoothing: float = 0.1
    ema_decay: float = 0.998  # of the averaged weights, per step


RECIPES = {
    "baseline": Recipe(
        network="baseline",
        epochs=11,
        batch_size=256,
        lr=0.05,
        schedule="onecycle",
        augment="none",
        label_smoothing=0.0,
    ),
    "deep": Recipe(
        network="deep", epochs=60, batch_size=256, lr=0.2, schedule="onecycle", augment="strong"
    ),
}
