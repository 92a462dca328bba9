"""Networks of finished runs of models of attributes, and their predictions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import nn

from preprocessing.datasets.attribute_table import Attribute
from training.attributes.data import TableSplits, TableSubset, open_splits
from training.attributes.settings import FitSettings
from training.common.checkpoints import load_best
from training.common.runs import RunConfig, read_config
from training.common.subsets import predict
from training.models.backbones import BackboneNetwork


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """The best network of a run, ready to evaluate, with its config and its data set."""

    network: nn.Module
    config: RunConfig[FitSettings]
    splits: TableSplits


def load_run(folder: Path) -> FinishedRun:
    """Load the finished run of a folder.

    Raises:
        UsageError: no such run, or it has no whole checkpoint.
        DataError: its table or its pictures are gone.
    """
    config = read_config(folder, FitSettings)
    recipe = config.settings.recipe
    network = BackboneNetwork(recipe.network, recipe.shape(len(config.classes)), dropout=0.0)
    return FinishedRun(load_best(folder, network), config, open_splits(config.settings))


def class_names(attributes: Sequence[Attribute]) -> tuple[str, ...]:
    """Return names for all outputs of a network: "neck henley", ..."""
    return tuple(f"{one.name} {title}" for one in attributes for title in one.titles)


def predictions(network: nn.Module, subset: TableSubset) -> tuple[np.ndarray, np.ndarray]:
    """Return logits float32 (N, all classes) and classes int64 (N, attributes) of a subset."""
    logits, values = predict(network, subset.loader())
    return logits.numpy(), values.numpy()
