"""From a table and its pictures to parts that a network learns from."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from preprocessing.datasets.attribute_table import (
    MISSING_CODE,
    Attribute,
    AttributeTable,
)
from preprocessing.datasets.imputation import IMPUTATIONS, modes
from preprocessing.datasets.samples import Sample
from preprocessing.errors import DataError
from training.attributes.recipes import AttributeRecipe
from training.common.photo_parts import PhotoPart

DRAWS = 300  # random splits, of which the one with the evenest classes is taken


@dataclass(frozen=True, eq=False)
class TablePart(PhotoPart):
    """Pictures with a row of classes each: `labels` are int64 (N, attributes)."""

    rows: torch.Tensor | None = None

    @property
    def labels(self) -> torch.Tensor:
        return self.rows


@dataclass(frozen=True, eq=False)
class TableParts:
    """A table ready for training.

    Attributes:
        attributes: as the network answers them, with a class for missing ones where asked for.
        training, validation: parts; only the training part's gaps are filled.
        modes: int (attributes,), the most frequent known class in training.
        absent, conflicting: names of the table without a picture, and with contradicting rows.
    """

    attributes: tuple[Attribute, ...]
    training: TablePart
    validation: TablePart
    modes: np.ndarray
    absent: tuple[str, ...]
    conflicting: tuple[str, ...]


def open_parts(
    table: AttributeTable,
    images: Path,
    recipe: AttributeRecipe,
    *,
    seed: int,
    limit: int | None = None,
    bad_log: Path | None = None,
) -> TableParts:
    """Split a table by products, and fill the gaps of its training part as the recipe says.

    Args:
        limit: learn from the first so many pictures, and validate on them too.

    Raises:
        DataError: fewer than two of its pictures are in `images`, or they are all of one product.
    """
    conflicting = tuple(table.conflicts())
    whole = table.merged()
    there = np.array([(images / name).is_file() for name in whole.names])
    present = whole.take(np.flatnonzero(there)[:limit])
    if len(present) < 2:
        raise DataError(f"{len(present)} of the table's {len(whole)} pictures are in {images}")
    everything = np.arange(len(present))
    training, validation = everything, everything
    if limit is None:
        training, validation = split_products(present, share=recipe.train_split, seed=seed)
    known, judged = present.values[training], present.values[validation]
    sizes = np.array([len(attribute) for attribute in table.attributes])
    filled = IMPUTATIONS[recipe.missing](known, known, sizes)
    attributes = table.attributes
    if recipe.missing == "class":
        attributes = tuple(map(_with_missing, attributes))

    def part(rows: np.ndarray, values: np.ndarray, crop: float) -> TablePart:
        samples = [Sample(images / present.names[row], present.groups[row]) for row in rows]
        return TablePart(samples, (), recipe.size, crop, bad_log, rows=torch.from_numpy(values))

    return TableParts(
        attributes,
        part(training, filled, recipe.crop),
        part(validation, judged, 1.0),
        modes=modes(known),
        absent=tuple(name for name, here in zip(whole.names, there, strict=True) if not here),
        conflicting=conflicting,
    )


def _with_missing(attribute: Attribute) -> Attribute:
    return Attribute(
        attribute.name, (*attribute.codes, MISSING_CODE), (*attribute.titles, MISSING_CODE)
    )


def split_products(
    table: AttributeTable, *, share: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train and to validate on: every product on one side, the classes as even as may be.

    Raises:
        DataError: there is only one product.
    """
    products, product = np.unique(table.groups, return_inverse=True)
    if len(products) < 2:
        raise DataError(f"all {len(table)} pictures are of one product: nothing to validate on")
    count = int(np.clip(round(share * len(products)), 1, len(products) - 1))
    shares = [np.eye(len(a) + 1)[column] for a, column in
              zip(table.attributes, table.values.T, strict=True)]  # fmt: skip
    classes = np.concatenate(shares, axis=1)  # the last of each attribute: unknown (-1)
    rng, best, least = np.random.default_rng(seed), None, np.inf
    for _ in range(DRAWS):
        chosen = np.isin(product, rng.permutation(len(products))[:count])
        wanted = share * classes.sum(axis=0)
        unseen = (classes[chosen].sum(axis=0) == 0) & (classes.sum(axis=0) > 0)
        uneven = np.abs(classes[chosen].sum(axis=0) - wanted).sum() + len(table) * unseen.sum()
        if uneven < least:
            best, least = chosen, uneven
    return np.flatnonzero(best), np.flatnonzero(~best)
