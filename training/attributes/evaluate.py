"""Evaluation of models of attributes on a table: report.md and report.json.

Scores come with and without the catch-all classes.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from preprocessing.datasets.attribute_table import (
    MISSING,
    MISSING_CODE,
    Attribute,
    AttributeTable,
    read_table,
)
from preprocessing.datasets.imputation import modes
from preprocessing.errors import DataError, UsageError
from training.attributes.data import predictions, split_present, table_subset
from training.attributes.settings import AttributeEvaluateSettings
from training.common.checkpoints import load_network
from training.common.metrics import AttributeScores, attribute_table, mean_f1, score_attributes
from training.common.runs import REPORT
from training.inference import weights

LAST = "last"  # --catch-all: the last code of every attribute


@dataclass(frozen=True, eq=False)
class TableScores:
    """Scores over the pictures of a table.

    Attributes:
        all_classes: an attribute each.
        catch_all: codes by attribute that `without_catch_all` excludes; empty for none.
    """

    all_classes: Sequence[AttributeScores]
    catch_all: dict[str, str]
    without_catch_all: Sequence[AttributeScores]

    def summary(self) -> dict[str, Any]:
        """The single figures, ready for JSON."""
        figures: dict[str, Any] = _summaries(self.all_classes)
        if self.catch_all:
            figures["without_catch_all"] = _summaries(self.without_catch_all)
        return {"macro_f1": round(mean_f1(self.all_classes), 5), "attributes": figures}


def _summaries(scores: Sequence[AttributeScores]) -> dict[str, dict[str, float | int]]:
    return {one.attribute.name: one.summary() for one in scores}


def score_table(
    logits: np.ndarray,
    values: np.ndarray,
    attributes: Sequence[Attribute],
    *,
    modes: np.ndarray,
    catch_all: str,
) -> TableScores:
    """Compare logits (N, all classes) with classes (N, attributes).

    Args:
        modes: see `score_attributes`; catch_all: see `catch_all_codes`.

    Raises:
        UsageError: see `catch_all_codes`.
    """
    codes = catch_all_codes(catch_all, attributes)
    whole = score_attributes(logits, values, attributes, modes=modes)
    without = whole
    if codes:
        without = score_attributes(logits, values, attributes, modes=modes, excluded=codes)
    return TableScores(whole, codes, without)


def catch_all_codes(text: str, attributes: Sequence[Attribute]) -> dict[str, str]:
    """Return the codes that --catch-all names: "last", "neck=6,pattern=9", or "" for none.

    Raises:
        UsageError: no such attribute or code.
    """
    if not text:
        return {}
    if text == LAST:
        return {one.name: [c for c in one.codes if c != MISSING_CODE][-1] for one in attributes}
    known = {attribute.name: attribute.codes for attribute in attributes}
    found: dict[str, str] = {}
    for pair in text.split(","):
        name, _, code = pair.partition("=")
        if code not in known.get(name, ()):
            have = "; ".join(f"{name}={'|'.join(codes)}" for name, codes in known.items())
            raise UsageError(f"--catch-all {name}={code}: no such code, have {have}")
        found[name] = code
    return found


def write_report(folder: Path, scores: TableScores, *, title: str) -> str:
    """Write report.md and report.json into a folder, and return the table."""
    folder.mkdir(parents=True, exist_ok=True)
    text = attribute_table(scores.all_classes)
    if scores.catch_all:
        text += "\n\n" + attribute_table(scores.without_catch_all, excluded=scores.catch_all)
    (folder / "report.md").write_text(f"# {title}\n\n{text}\n", encoding="utf-8")
    (folder / REPORT).write_text(json.dumps(scores.summary(), indent=1) + "\n")
    return text


def evaluate(settings: AttributeEvaluateSettings) -> str:
    """Evaluate a model on all pictures of a table that are there, and return the text to print.

    Raises:
        DataError, UsageError, WeightsError: nothing there, or it does not fit the model.
    """
    stem, info = weights.locate(settings.model)
    weights.verified(stem.with_suffix(".onnx"))
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
