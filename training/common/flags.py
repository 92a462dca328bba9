"""The flags of training.fit, and the recipe that they make."""

import argparse
import dataclasses
from pathlib import Path
from typing import TypeVar

from preprocessing.datasets.imputation import IMPUTATIONS
from preprocessing.datasets.split_rules import add_rules
from preprocessing.errors import UsageError
from training.classification.recipes import (
    BALANCES,
    LOGGERS,
    MIXES,
    PRECISIONS,
    Recipe,
    recipe_named,
)
from training.deepfashion.recipes import ATTRIBUTE_LOSSES, BOX_LOSSES, REDUCTIONS
from training.inference.shape import HEADS
from training.tasks import TASKS

R = TypeVar("R")  # a kind of recipe
STRIDE = 32  # pixels; sides of a detector's or a parser's input are multiples of it
REPLACEABLE = {
    "epochs", "batch_size", "lr", "schedule", "augment", "label_smoothing", "pretrained",
    "backbone_lr", "dropout", "head", "mix", "balance", "teacher", "optimizer", "weight_decay",
    "clip", "patience", "crop", "hung",
}  # fmt: skip
POSITIVE = ("epochs", "batch_size", "lr", "limit_train", "limit_test", "image_size", "devices",
            "nodes", "unfreeze_after")  # fmt: skip
NOT_NEGATIVE = ("backbone_lr", "weight_decay", "clip", "patience", "category_weight",
                "attribute_weight", "box_weight", "landmark_weight", "positive_weight",
                )  # fmt: skip
AUGMENTS = ("none", "mirror", "light", "strong", "real", "colour", "photo", "dyed")
PHOTOS_ONLY = ("crop", "hung")
SHARES = ("label_smoothing", "dropout", "hung")
# Backbones of models of attributes; classifiers name theirs with --model.
BACKBONES = ("resnet18", "resnet34", "resnet50", "vgg19", "inception-v3", "efficientnet-lite0")
OTHER_TASKS = ("table", "images", "label_map", "missing", "train_split", "catch_all", "backbone",
               "boxed", "backgrounds", "category_weight", "attribute_weight", "box_weight",
               "landmark_weight", "attribute_loss", "box_loss", "reduction", "positive_weight",
               )  # fmt: skip


def parser() -> argparse.ArgumentParser:
    """The flags of training.fit."""
    parser = argparse.ArgumentParser(
        prog="python -m training.fit",
        description="Train a network. Validation chooses the best epoch; the test set is read "
        "once, at the end. What is not given comes from the recipe (training/recipes.py).",
    )
    add = parser.add_argument
    names = ", ".join(name for recipes in TASKS.values() for name in recipes)
    add("--model", metavar="NAME", help=f"a recipe ({names}) or a network's name")
    add("--out", type=Path, help="run folder (default runs/MODEL-DATE)")
    add("--resume", type=Path, metavar="RUN|auto", help="go on with this run folder's last "
        "checkpoint; auto: with the newest run of --model in runs/")  # fmt: skip
    add("--refit", type=Path, metavar="RUN", help="train RUN's recipe again, on all its photos; "
        "RUN's figures stand for it")  # fmt: skip
    add("--seed", type=int, default=0, help="of weights, order, augmentation, splits (default 0)")
    _add_data(parser.add_argument_group("data"))
    _add_attributes(parser.add_argument_group("models of attributes"))
    _add_deepfashion(parser.add_argument_group("deepfashion"))
    _add_network(parser.add_argument_group("network"))
    _add_training(parser.add_argument_group("training"))
    _add_machine(parser.add_argument_group("machine"))
    return parser


def _add_data(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--data", type=Path, metavar="DIR|CSV|YAML", help="photos: a folder a class, a CSV, or "
        "what builders.photo_dataset wrote; a detector takes a data.yaml, a parser photos/ and "
        "masks/")  # fmt: skip
    add("--photos", type=Path, metavar="CSV", help="parsers and deep-real: photos of single "
        "garments as well")  # fmt: skip
    add("--boxed", type=Path, nargs="+", metavar="DIR", help="parsers: photos of people with "
        "data.yaml, whose boxes check what --teacher paints")  # fmt: skip
    add("--backgrounds", type=Path, metavar="DIR", help="parsers: garment-free pictures")
    add("--data-dir", metavar="DIR", help="folder of the four Fashion-MNIST files")
    add("--limit-train", type=int, metavar="N", help="Fashion-MNIST: train and validate on N")
    add("--limit-test", type=int, metavar="N", help="Fashion-MNIST: test on the first N images")
    add_rules(group)


def _add_attributes(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--table", type=Path, metavar="CSV", help="a file name and a column an attribute; #N/A, "
        "nan or nothing where it is unknown")  # fmt: skip
    add("--images", type=Path, metavar="DIR", help="the table's pictures, some may be absent")
    add("--label-map", type=Path, metavar="JSON", help='names of its codes: {"neck": {"0": '
        '"henley", ...}, ...}')  # fmt: skip
    add("--missing", choices=list(IMPUTATIONS), help="what to learn where the table knows nothing: "
        "nothing (mask, default), a class of its own, the column's most frequent class, the "
        "likeliest one given the row's others, or drop such rows")  # fmt: skip
    add("--backbone", choices=BACKBONES, help="network under the head")
    add("--train-split", type=float, metavar="SHARE", help="of the products (default 0.8)")
    add("--catch-all", metavar="last|A=CODE,...", help="report without these codes as well")


def _add_deepfashion(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    for name in ("category", "attribute", "box", "landmark"):
        add(f"--{name}-weight", type=float, metavar="X", help="of this loss in the sum")
    add("--attribute-loss", choices=ATTRIBUTE_LOSSES, help="of the 1,000 attributes (default bce)")
    add("--box-loss", choices=BOX_LOSSES, help="(default giou)")
    add("--reduction", choices=REDUCTIONS, help="of a picture's attributes (default mean)")
    add("--positive-weight", type=float, metavar="X", help="rare attributes weigh (absent / "
        "present) to this power; 0 for one each (default 0.5)")  # fmt: skip


def _add_network(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--image-size", type=int, metavar="N", help="side of the network's input in pixels")
    add("--head", choices=HEADS, help="hidden: 256 units before the outputs; custom: 1024 and "
        "512; bilinear: products of every two of 128 maps")  # fmt: skip
    add("--dropout", type=float, metavar="SHARE", help="before the last layer")
    add("--pretrained", metavar="none|imagenet|FILE", help="weights that the backbone starts from")
    add(
        "--init",
        type=Path,
        metavar="RUN",
        help="start from the best weights of this finished run, or from a .safetensors file",
    )
    add("--freeze-backbone", action="store_true", help="train the head alone")
    add("--unfreeze-after", type=int, metavar="EPOCHS", help="train the head alone that long")
    add("--backbone-lr", type=float, metavar="LR", help="the backbone's highest learning rate")


def _add_training(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--epochs", type=int, help="passes over the training images")
    add("--batch-size", type=int, help="images a step, over all processes")
    add("--lr", type=float, help="highest learning rate")
    add("--schedule", choices=["plateau", "onecycle", "cosine", "step"], help="of the rate")
    add("--optimizer", choices=["sgd", "adamw"], help="what takes the steps")
    add("--weight-decay", type=float, metavar="X", help="of weights, not of biases and norms")
    add("--clip", type=float, metavar="NORM", help="largest norm of the gradients; 0 for any")
    add("--augment", choices=AUGMENTS, help="of batches")
    add("--hung", type=float, metavar="SHARE", help="photos with a lanyard or a strap drawn over")
    add("--crop", type=float, metavar="SHARE", help="smallest part of a photo in random cuts")
    add("--mix", choices=MIXES, help="blend or patch images and labels of a batch")
    add("--balance", choices=BALANCES, help="weigh classes alike, in sampling or in the loss")
    add("--label-smoothing", type=float, metavar="SHARE", help="of the targets, 0 to below 1")
    add("--teacher", metavar="none|WEIGHTS", help="model or file to learn from too")
    add("--patience", type=int, metavar="EPOCHS", help="stop when validation loss stays that long")


def _add_machine(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--device", default="auto", choices=["auto", "cpu", "cuda", "mps"], help="default auto")
    add("--devices", type=int, default=1, metavar="N", help="processes a node (default 1)")
    add("--nodes", type=int, default=1, metavar="M", help="machines, started by torchrun")
    add("--precision", default="bf16", choices=PRECISIONS, help="of arithmetic (default bf16)")
    add("--strategy", default="ddp", help="how processes share a batch (default ddp)")
    add("--logger", default="csv", choices=LOGGERS, help="besides metrics.csv (default none)")


def recipe_of(args: argparse.Namespace) -> Recipe:
    """The named recipe with the fields that flags replace.

    Raises:
        UsageError: a number is out of range, or flags contradict each other.
    """
    check_ranges(args)
    strange = [name for name in OTHER_TASKS if getattr(args, name) is not None]
    if strange:
        raise UsageError(f"--{strange[0].replace('_', '-')}: not for classifiers")
    for name in PHOTOS_ONLY:
        if getattr(args, name) is not None and args.data is None:
            raise UsageError(f"--{name}: only for photos, which --data DIR or CSV names")
    recipe = recipe_named(args.model, photos=args.data is not None)
    if bool(args.photos) != (recipe.photo_repeats > 0):
        raise UsageError(f"--photos CSV belongs to deep-real, which needs it; got {args.model}")
    given = {name: getattr(args, name) for name in REPLACEABLE}
    given["size"] = args.image_size
    if args.freeze_backbone or args.unfreeze_after:
        given["frozen_epochs"] = args.unfreeze_after or args.epochs or recipe.epochs
    return dataclasses.replace(
        recipe, **{name: value for name, value in given.items() if value is not None}
    )


def replaced(
    recipe: R,
    args: argparse.Namespace,
    given: set[str],
    *,
    allowed: set[str],
    task: str,
    stride: int = STRIDE,
) -> R:
    """A recipe of another task with the fields that the given flags replace.

    Args:
        stride: pixels that the side of its network's input is a multiple of.

    Raises:
        UsageError: a flag that such a task has no use for, or a size that does not fit.
    """
    strange = sorted(given - allowed)
    if strange:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in strange)
        raise UsageError(f"{flags}: not for {task}")
    fields = {field.name for field in dataclasses.fields(recipe)}
    chosen = {name: getattr(args, name) for name in given & fields}
    if args.image_size:
        chosen["size"] = args.image_size
    if chosen.get("size", stride) % stride:
        raise UsageError(f"--image-size must be a multiple of {stride}, got {args.image_size}")
    return dataclasses.replace(recipe, **chosen)


def with_backbone(recipe: R, args: argparse.Namespace) -> R:
    """The recipe on the --backbone that is given, kept still as long as is given.

    Another backbone starts from scratch unless --pretrained says from where.
    """
    if args.backbone:
        own = recipe.pretrained if args.backbone == recipe.network else "none"
        recipe = dataclasses.replace(
            recipe, network=args.backbone, pretrained=args.pretrained or own
        )
    frozen = args.unfreeze_after or (recipe.epochs if args.freeze_backbone else 0)
    return dataclasses.replace(recipe, frozen_epochs=frozen)


def check_ranges(args: argparse.Namespace) -> None:
    """Raises UsageError if a number is out of range, or flags contradict each other."""
    checks = (
        (POSITIVE, lambda value: value > 0, "above 0"),
        (NOT_NEGATIVE, lambda value: value >= 0, "0 or more"),
        (SHARES, lambda value: 0 <= value < 1, "0 to below 1"),
        (("crop",), lambda value: 0 < value <= 1, "above 0 to 1"),
        (("train_split",), lambda value: 0 < value < 1, "above 0 to below 1"),
    )
    for names, fits, wanted in checks:
        for name in names:
            value = getattr(args, name)
            if value is not None and not fits(value):
                raise UsageError(f"--{name.replace('_', '-')} must be {wanted}, got {value}")
    if args.devices * args.nodes > 1 and not (args.out or args.resume):
        raise UsageError("several processes need one folder: give --out")
    if args.data and (args.limit_train or args.limit_test or args.data_dir):
        raise UsageError("--limit-train, --limit-test and --data-dir are for Fashion-MNIST alone")


def given_flags(args: argparse.Namespace) -> set[str]:
    """The names of the flags that differ from their defaults."""
    defaults = vars(parser().parse_args([]))
    return {name for name, value in vars(args).items() if value != defaults[name]}


def changes_recipe(args: argparse.Namespace) -> bool:
    """Whether a flag asks for another training than the recipe's."""
    replaced = any(getattr(args, name) is not None for name in (*REPLACEABLE, "image_size"))
    return bool(replaced or args.freeze_backbone or args.unfreeze_after or args.init)
