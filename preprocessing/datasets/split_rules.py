"""How a data set is built from the user's pictures: the rules, and the flags that set them."""

import argparse
from dataclasses import dataclass

from preprocessing.errors import UsageError


@dataclass(frozen=True)
class Rules:
    """How a data set is built.

    Attributes:
        min_images: classes with fewer readable pictures are dropped.
        max_images: of a class, drawn by `seed`; None for all.
        validation, test: shares split off.
        max_bad: share of missing and unreadable pictures above which building fails.
        classes: names to keep; empty for all.
    """

    min_images: int = 3
    max_images: int | None = None
    validation: float = 0.15
    test: float = 0.15
    seed: int = 0
    max_bad: float = 0.01
    classes: tuple[str, ...] = ()


def add_rules(parser: argparse.ArgumentParser) -> None:
    """The flags of `Rules`, for every command that builds a data set."""
    add, default = parser.add_argument, Rules()
    add("--classes", metavar="A,B,...", help="only these classes (default all)")
    add("--min-images", type=int, default=default.min_images, help="a class needs (default 3)")
    add("--max-images", type=int, help="of a class, drawn by the seed (default all)")
    add("--validation", type=float, default=default.validation, help="share (default 0.15)")
    add("--test", type=float, default=default.test, help="share (default 0.15)")
    add("--group-column", default="group", help="CSV column of product or sender (default group)")
    add("--max-bad", type=float, default=default.max_bad, help="share allowed (default 0.01)")


def rules_of(args: argparse.Namespace) -> Rules:
    """The rules that the flags of `add_rules` and `--seed` give.

    Raises:
        UsageError: a number is out of range.
    """
    for name in ("validation", "test", "max_bad"):
        if not 0 <= getattr(args, name) < 1:
            raise UsageError(f"--{name.replace('_', '-')} must be 0 to below 1")
    if args.validation + args.test >= 1:
        raise UsageError("--validation and --test leave nothing to train on")
    if args.min_images < 1 or (args.max_images is not None and args.max_images < args.min_images):
        raise UsageError("--min-images must be at least 1 and --max-images no less")
    classes = tuple(filter(None, (args.classes or "").split(",")))
    names = ("min_images", "max_images", "validation", "test", "seed", "max_bad")
    return Rules(classes=classes, **{name: getattr(args, name) for name in names})
