"""Named recipes: which network, and how it is trained. Command-line flags replace single fields."""

from dataclasses import dataclass, replace

from preprocessing.errors import UsageError
from training.inference.shape import Shape

CONFIG = "config.json"  # of a run's folder

MIXES = ("none", "mixup", "cutmix", "both")
BALANCES = ("none", "sampling", "loss")
PRECISIONS = ("bf16", "fp16", "single")
LOGGERS = ("csv", "tensorboard", "wandb")


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
    pretrained: str = "none"  # "imagenet", or a file of weights for the backbone
    frozen_epochs: int = 0  # first epochs in which the backbone does not learn
    backbone_lr: float = 0.0  # highest learning rate of the backbone; 0 for that of the head
    crop: float = 1.0  # smallest share of a photo that random cuts keep
    hung: float = 0.0  # share of photos that a lanyard, a cord or a strap is drawn over
    mix: str = "none"  # a name of MIXES
    balance: str = "none"  # a name of BALANCES: classes weighed alike in sampling or in the loss
    photo_repeats: int = 0  # how often an epoch shows each photo beside Fashion-MNIST's pictures
    teacher: str = "none"  # a committed model or a weight file whose answers are learnt too
    teacher_share: float = 0.7  # of the loss
    optimizer: str = "sgd"  # a row of OPTIMIZERS
    weight_decay: float = 5e-4  # not applied to biases and normalisation layers
    momentum: float = 0.9
    label_smoothing: float = 0.0
    ema_decay: float = 0.998  # of the averaged weights, per step
    clip: float = 0.0  # largest norm of the gradients; 0 for any
    patience: int = 0  # epochs without a better validation loss before stopping; 0 for never

    def shape(self, classes: int) -> Shape:
        """What the network is built to for so many classes."""
        return Shape(classes, size=self.size, channels=self.channels, head=self.head)


RECIPES = {
    # The answers of `deep` keep its wide layer from learning the training set by heart.
    "baseline": Recipe(
        network="baseline",
        head="hidden",
        epochs=12,
        batch_size=256,
        lr=0.05,
        schedule="onecycle",
        augment="mirror",
        dropout=0.3,
        teacher="deep",
        teacher_share=0.7,
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
    # Starts from `deep` (--init) and learns real garments, cut out of photos, beside its own data.
    "deep-real": Recipe(
        network="deep",
        epochs=14,
        batch_size=256,
        lr=0.05,
        schedule="onecycle",
        augment="real",
        last_epochs=4,
        last_augment="strong",
        photo_repeats=8,
    ),
    # Few epochs, since one takes ten minutes on a core; so `deep` teaches it as well.
    "efficientnet": Recipe(
        network="efficientnet-b0",
        epochs=12,
        batch_size=128,
        lr=0.003,
        schedule="onecycle",
        augment="light",
        teacher="deep",
        teacher_share=0.7,
        optimizer="adamw",
        weight_decay=0.05,
        dropout=0.2,
    ),
    # Names the boxes of `yolo`, cut out by preprocessing.builders.crops_from_boxes.
    "yolo-names": Recipe(
        network="deep",
        epochs=14,
        batch_size=256,
        lr=0.1,
        schedule="onecycle",
        augment="mirror",  # canvases bring light and colours of their own
        crop=0.8,
        size=32,
        channels=3,
    ),
    "photo": Recipe(
        network="efficientnet-lite0",
        pretrained="imagenet",
        epochs=7,
        batch_size=32,
        lr=0.001,
        backbone_lr=0.0002,
        schedule="onecycle",
        augment="dyed",
        crop=0.5,
        hung=0.25,
        size=224,
        channels=3,
        dropout=0.2,
        label_smoothing=0.1,
        optimizer="adamw",
        weight_decay=0.05,
        ema_decay=0.99,
        clip=5.0,
    ),
}


def recipe_named(name: str | None, *, photos: bool) -> Recipe:
    """A recipe by its name, or for a network's name the recipe of its kind of data.

    Raises:
        UsageError: no such recipe or network, or it does not fit the data.
    """
    from training.models import MODELS  # imports torch, which --help has no need of

    if name not in RECIPES and name not in MODELS:
        known = ", ".join(dict.fromkeys((*RECIPES, *MODELS)))
        raise UsageError(f"--model {name}: no such recipe or network, have {known}")
    general = RECIPES["photo" if photos else "efficientnet"]
    recipe = RECIPES.get(name) or replace(general, network=name, pretrained="none", teacher="none")
    if recipe.channels == 3 and not photos:
        raise UsageError(f"--model {name} learns from photos: give --data DIR or CSV")
    if photos:  # a teacher of Fashion-MNIST has nothing to say about them
        return replace(recipe, channels=3, teacher="none")
    return recipe
