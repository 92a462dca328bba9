"""Recipes of classifiers. Imports no torch."""

from dataclasses import dataclass, replace
from typing import Annotated

from preprocessing.flags import FRACTION_BELOW_ONE, Flag
from training.common.settings import TRAINING, ImageRecipe

MIXES = ("none", "mixup", "cutmix", "both")


@dataclass(frozen=True, kw_only=True)
class ClassifierRecipe(ImageRecipe):
    """A recipe for one label an image, from Fashion-MNIST or from photos.

    Attributes:
        last_epochs, last_augment: epochs that end the run with another augmentation, and its name.
        photo_repeats: how often an epoch shows each photo beside Fashion-MNIST's images.
        teacher_fraction: of the loss that compares with the teacher.
    """

    last_epochs: int = 0
    last_augment: str = "light"
    occlusion: Annotated[
        float,
        Flag("fraction of the photos of --data with a random occluder, such as a strap or a "
             "lanyard", FRACTION_BELOW_ONE, "FRACTION", TRAINING, hidden=("--hung",)),
    ] = 0.0  # fmt: skip
    mix: Annotated[
        str, Flag("blend or patch images and labels of a batch", group=TRAINING, choices=MIXES)
    ] = "none"
    photo_repeats: int = 0
    teacher: Annotated[
        str,
        Flag("committed model or weight file to distil from", metavar="none|MODEL|FILE",
             group=TRAINING),
    ] = "none"  # fmt: skip
    teacher_fraction: float = 0.7
    label_smoothing: Annotated[
        float, Flag("label smoothing of the targets", FRACTION_BELOW_ONE, "FRACTION", TRAINING)
    ] = 0.0


CLASSIFIERS = {
    # The predictions of `deep` keep its wide layer from overfitting.
    "baseline": ClassifierRecipe(
        network="baseline",
        head="hidden",
        epochs=12,
        batch_size=256,
        lr=0.05,
        schedule="onecycle",
        augment="mirror",
        dropout=0.3,
        teacher="deep",
        teacher_fraction=0.7,
    ),
    # Label smoothing would gain as much accuracy as it costs in calibration; the plain ending
    # shows the network whole, unrotated garments last.
    "deep": ClassifierRecipe(
        network="deep",
        epochs=50,
        batch_size=256,
        lr=0.2,
        schedule="onecycle",
        augment="strong",
        last_epochs=5,
    ),
    # Starts from `deep` (--init) and learns real garments, cut out of photos, beside its own data.
    "deep-real": ClassifierRecipe(
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
    # Few epochs, since one takes ten minutes on a core; therefore `deep` is its teacher.
    "efficientnet": ClassifierRecipe(
        network="efficientnet-b0",
        epochs=12,
        batch_size=128,
        lr=0.003,
        schedule="onecycle",
        augment="light",
        teacher="deep",
        teacher_fraction=0.7,
        optimizer="adamw",
        weight_decay=0.05,
        dropout=0.2,
    ),
    # Labels the boxes of `yolo`, cropped by preprocessing.builders.crops_from_boxes.
    "yolo-names": ClassifierRecipe(
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
    "photo": ClassifierRecipe(
        network="efficientnet-lite0",
        pretrained="imagenet",
        epochs=7,
        batch_size=32,
        lr=0.001,
        backbone_lr=0.0002,
        schedule="onecycle",
        augment="dyed",
        crop=0.5,
        occlusion=0.25,
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


def recipe_for(name: str, *, photos: bool) -> ClassifierRecipe:
    """A recipe by its name, or for a network's name the general recipe of the kind of data."""
    general = CLASSIFIERS["photo" if photos else "efficientnet"]
    named = CLASSIFIERS.get(name)
    recipe = named or replace(general, network=name, pretrained="none", teacher="none")
    if photos:  # a teacher of Fashion-MNIST has no predictions for photos
        return replace(recipe, channels=3, teacher="none")
    return recipe
