"""Rules by which a data set is built from the user's pictures, and their flags."""

import argparse
from dataclasses import dataclass
from typing import Annotated

from preprocessing.errors import UsageError
from preprocessing.flags import FRACTION_BELOW_ONE, POSITIVE, Flag, add_fields, read_fields

GROUP = "data set"


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Rules by which a data set is built.

    Attributes:
        classes: names to keep; empty for all.
        min_images: classes with fewer readable pictures are dropped.
        max_images: of a class, drawn by `seed`; None for all.
        validation, test: fractions split off.
        group_column: CSV column of what must not be on two sides of a split.
        max_bad: fraction of missing and unreadable pictures above which building fails.

    Raises:
        UsageError: the numbers contradict each other.
    """

    classes: Annotated[
        tuple[str, ...],
        Flag("only these classes", metavar="A,B,...", group=GROUP, default="all"),
    ] = ()
    min_images: Annotated[
        int, Flag("minimum images per class; classes with fewer are dropped", POSITIVE, "N", GROUP)
    ] = 3
    max_images: Annotated[
        int | None,
        Flag("maximum images per class, drawn by --seed", POSITIVE, "N", GROUP, default="all"),
    ] = None
    validation: Annotated[
        float, Flag("fraction for validation", FRACTION_BELOW_ONE, "FRACTION", GROUP)
    ] = 0.15
    test: Annotated[float, Flag("fraction for the test", FRACTION_BELOW_ONE, "FRACTION", GROUP)] = (
        0.15
    )
    group_column: Annotated[
        str, Flag("CSV column of the product or sender", metavar="NAME", group=GROUP)
    ] = "group"
    max_bad: Annotated[
        float,
        Flag("maximum fraction of unreadable images", FRACTION_BELOW_ONE, "FRACTION", GROUP),
    ] = 0.01
    seed: int = 0

    def __post_init__(self) -> None:
        if self.validation + self.test >= 1:
            raise UsageError("--validation and --test leave nothing to train on")
        if self.max_images is not None and self.max_images < self.min_images:
            raise UsageError(f"--max-images must be --min-images ({self.min_images}) or more, got "
                             f"{self.max_images}")  # fmt: skip


def add_rules(arguments: argparse.ArgumentParser) -> None:
    """Add the flags of `Rules`, for a command that builds a data set."""
    add_fields(arguments, Rules)


def rules_of(args: argparse.Namespace) -> Rules:
    """The rules that the flags of `add_rules` and `--seed` give.

    Raises:
        UsageError: the numbers contradict each other.
    """
    return read_fields(Rules, args, seed=args.seed)
