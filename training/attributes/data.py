"""Subsets of a table of attributes and its pictures, and the predictions of networks for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from preprocessing.datasets.attribute_table import (
    MISSING_CODE,
    Attribute,
    AttributeTable,
    read_table,
)
from preprocessing.datasets.imputation import IMPUTATIONS, modes
from preprocessing.datasets.samples_and_splits import Sample
from preprocessing.errors import DataError
from training.attributes.settings import AttributeFitSettings, AttributeRecipe
from training.common.checkpoints import load_best
from training.common.runs import RunConfig, read_config
from training.common.subsets import PhotoSubset, predict
from training.models.backbones import BackboneNetwork

DRAWS = 300  # random splits, of which the one with the evenest classes is taken


@dataclass(frozen=True, eq=False, kw_only=True)
class TableSubset(PhotoSubset):
    """Pictures with a class an attribute.

    Attributes:
        values: int64 (N, attributes), numbers of classes or MISSING.
    """

    values: torch.Tensor

    @property
    def labels(self) -> torch.Tensor:
        """int64 (N, attributes)."""
        return self.values


@dataclass(frozen=True, eq=False)
class TableSplits:
    """A table ready for training.

    Attributes:
        attributes: as the network predicts them; with --missing class, each has a class for
            missing values.
        training, validation: missing values are imputed in training alone.
        modes: int (attributes,), the most frequent known class in training.
        absent, conflicting: names of the table without a picture, and with contradicting rows.
    """

    attributes: tuple[Attribute, ...]
    training: TableSubset
    validation: TableSubset
    modes: np.ndarray
    absent: tuple[str, ...]
    conflicting: tuple[str, ...]


def open_splits(settings: AttributeFitSettings, *, bad_log: Path | None = None) -> TableSplits:
    """Open the table and the pictures of a training; see `split_table`.

    Raises:
        DataError: see `read_table` and `split_table`.
    """
    table = read_table(
        settings.table, label_map=settings.label_map, group_column=settings.group_column
    )
    return split_table(table, settings.images, settings.recipe, seed=settings.seed,
                       limit=settings.limit_train, bad_log=bad_log)  # fmt: skip


def split_table(
    table: AttributeTable,
    images: Path,
    recipe: AttributeRecipe,
    *,
    seed: int,
    limit: int | None = None,
    bad_log: Path | None = None,
) -> TableSplits:
    """Split a table by products, and impute missing values of training as the recipe has it.

    Args:
        limit: train on the first so many pictures, and validate on them too.
        bad_log: file that unreadable pictures are entered in.

    Raises:
        DataError: fewer than two of its pictures are in `images`, or they are all of one product.
    """
    merged = table.merged()
    present, absent = split_present(merged, images)
    present = present.take(range(len(present))[:limit])
    if len(present) < 2:
        raise DataError(f"{len(present)} of the table's {len(merged)} pictures are in {images}")
    training, validation = present, present
    if limit is None:
        training, validation = split_products(present, fraction=recipe.train_split, seed=seed)
    sizes = np.array([len(attribute) for attribute in table.attributes])
    imputed = IMPUTATIONS[recipe.missing](training.values, training.values, sizes)
    attributes = table.attributes
    if recipe.missing == "class":
        attributes = tuple(map(_with_missing, attributes))
    return TableSplits(
        attributes,
        table_subset(training.with_values(imputed), images, recipe.size, crop=recipe.crop,
                     bad_log=bad_log),
        table_subset(validation, images, recipe.size, bad_log=bad_log),
        modes=modes(training.values),
        absent=absent,
        conflicting=tuple(table.conflicts()),
    )  # fmt: skip


def split_present(table: AttributeTable, images: Path) -> tuple[AttributeTable, tuple[str, ...]]:
    """Return the rows whose pictures are in a folder, and the names of the others."""
    there = np.array([(images / name).is_file() for name in table.names], bool)
    absent = tuple(name for name, present in zip(table.names, there, strict=True) if not present)
    return table.take(np.flatnonzero(there)), absent


def table_subset(
    table: AttributeTable,
    images: Path,
    size: int,
    *,
    crop: float = 1.0,
    bad_log: Path | None = None,
) -> TableSubset:
    """Return a table's pictures as a subset; see `PhotoSubset`."""
    samples = [
        Sample(images / name, group) for name, group in zip(table.names, table.groups, strict=True)
    ]
    values = torch.from_numpy(table.values)
    return TableSubset(samples, (), size, crop, bad_log, values=values)


def _with_missing(attribute: Attribute) -> Attribute:
    return Attribute(
        attribute.name, (*attribute.codes, MISSING_CODE), (*attribute.titles, MISSING_CODE)
    )


def split_products(
    table: AttributeTable, *, fraction: float, seed: int
) -> tuple[AttributeTable, AttributeTable]:
    """Return rows to train and to validate on, each product on one side, classes evenly split.

    Args:
        fraction: of the products, to train on.

    Raises:
        DataError: there is only one product.
    """
    products, product = np.unique(table.groups, return_inverse=True)
    if len(products) < 2:
        raise DataError(f"all {len(table)} pictures are of one product: nothing to validate on")
    count = int(np.clip(round(fraction * len(products)), 1, len(products) - 1))
    columns = zip(table.attributes, table.values.T, strict=True)
    # One-hot, in the last column of each attribute the missing values (-1).
    classes = np.concatenate([np.eye(len(a) + 1)[column] for a, column in columns], axis=1)
    totals = classes.sum(axis=0)
    rng, best, lowest = np.random.default_rng(seed), np.zeros(len(table), bool), np.inf
    for _ in range(DRAWS):
        chosen = np.isin(product, rng.permutation(len(products))[:count])
        counts = classes[chosen].sum(axis=0)
        unseen = (counts == 0) & (totals > 0)
        uneven = np.abs(counts - fraction * totals).sum() + len(table) * unseen.sum()
        if uneven < lowest:
            best, lowest = chosen, uneven
    return table.take(np.flatnonzero(best)), table.take(np.flatnonzero(~best))


@dataclass(frozen=True, eq=False)
class AttributeModel:
    """The best network of a run, ready to evaluate, with its config and its data set."""

    network: nn.Module
    config: RunConfig[AttributeFitSettings]
    splits: TableSplits


def load_run(folder: Path) -> AttributeModel:
    """Load the finished run of a folder.

    Raises:
        UsageError: no such run, or it has no whole checkpoint.
        DataError: its table or its pictures are gone.
    """
    config = read_config(folder, AttributeFitSettings)
    recipe = config.settings.recipe
    network = BackboneNetwork(recipe.network, recipe.shape(len(config.classes)), dropout=0.0)
    return AttributeModel(load_best(folder, network), config, open_splits(config.settings))


def class_names(attributes: Sequence[Attribute]) -> tuple[str, ...]:
    """Return names for all outputs of a network: "neck henley", ..."""
    return tuple(f"{one.name} {title}" for one in attributes for title in one.titles)


def predictions(network: nn.Module, subset: TableSubset) -> tuple[np.ndarray, np.ndarray]:
    """Return logits float32 (N, all classes) and classes int64 (N, attributes) of a subset."""
    logits, values = predict(network, subset.loader())
    return logits.numpy(), values.numpy()
