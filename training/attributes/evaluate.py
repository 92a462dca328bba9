"""Evaluation of models of attributes on a table: report.md and report.json."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from preprocessing.datasets.attribute_table import MISSING, Attribute, AttributeTable, read_table
from preprocessing.datasets.imputation import modes
from preprocessing.errors import DataError, UsageError
from training.attributes.data import split_present, table_subset
from training.attributes.metrics import score_table
from training.attributes.networks import predictions
from training.attributes.report import write_report
from training.attributes.settings import AttributeEvaluateSettings
from training.common.checkpoints import load_network
from training.inference import weights


def evaluate(settings: AttributeEvaluateSettings) -> str:
    """Evaluate a model on all pictures of a table that are there, and return the text to print.

    Raises:
        DataError, UsageError, WeightsError: nothing there, or it does not fit the model.
    """
    stem, info = weights.locate(settings.model)
    weights.verified(stem.with_suffix(".safetensors"))
    table = read_table(settings.table, label_map=settings.label_map).merged()
    table, _ = split_present(table, settings.images)
    if not len(table):
        raise DataError(f"none of the pictures of {settings.table} is in {settings.images}")
    table = recoded(table, info.attributes)
    subset = table_subset(table, settings.images, info.size)
    logits, values = predictions(load_network(stem, info), subset)
    scores = score_table(
        logits, values, info.attributes, modes=modes(values), catch_all=settings.catch_all
    )
    folder = settings.folder(info.name)
    text = write_report(folder, scores, title=f"{info.name} on {settings.table}")
    return f"{text}\nwrote {folder}/report.md, report.json"


def recoded(table: AttributeTable, attributes: Sequence[Attribute]) -> AttributeTable:
    """Return a table with a model's attributes, and classes in the model's numbers.

    Raises:
        UsageError: the table lacks one of them, or has a code that the model does not know.
    """
    columns = {one.name: (one, table.values[:, k]) for k, one in enumerate(table.attributes)}
    found = []
    for attribute in attributes:
        if attribute.name not in columns:
            raise UsageError(f"the table has no column {attribute.name}: it has "
                             f"{', '.join(columns)}")  # fmt: skip
        one, values = columns[attribute.name]
        unknown = sorted(set(one.codes) - set(attribute.codes))
        if unknown:
            raise UsageError(f"the model does not know {attribute.name} {', '.join(unknown)}: it "
                             f"knows {', '.join(attribute.codes)}")  # fmt: skip
        numbers = np.array([*map(attribute.codes.index, one.codes), MISSING])
        found.append(numbers[values])
    return replace(table, attributes=tuple(attributes), values=np.stack(found, axis=1))
