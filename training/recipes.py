"""Named recipes: which network, and how it is trained. Command-line flags replace single fields."""

from dataclasses import dataclass

from training.shape import Shape


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run, besides its data and its seed."""

    network: str  # a row of MODELS
    epochs: int
    batch_size: int
    lr: float  # the highest learning rate of the schedule
    schedule: str  # a row of SCHEDULES
    augment: str  # a row of AUGMENTATIONS
    last_epochs: int = 0  # that end the run with another augmentation
    last_augment: str = "light"  # that of the last epochs
    size: int = 28  # side of the network's square input in pixels
    channels: int = 1  # 1 grey, 3 colour
    head: str = "linear"  # a name of HEADS
    dropout: float = 0.0  # before the last layer
    weight_decay: float = 5e-4  # not applied to biases and normalisation layers
    momentum: float = 0.9
    label_smoothing: float = 0.0
    ema_decay: float = 0.998  # of the averaged weights, per step

    def shape(self, classes: int) -> Shape:
        """What the network is built to for so many classes."""
        return Shape(classes, size=self.size, channels=self.channels, head=self.head)


RECIPES = {
    "baseline": Recipe(
        network="baseline",
        epochs=11,
        batch_size=256,
        lr=0.05,
        schedule="onecycle",
        augment="mirror",
        dropout=0.5,
    ),
    # Label smoothing would gain as much accuracy as it costs in calibration; the plain ending
    # lets the network see whole, unturned garments last.
    "deep": Recipe(
        network="deep",
        epochs=50,
        batch_size=256,
        lr=0.2,
        schedule="onecycle",
        augment="strong",
        last_epochs=5,
    ),
}
