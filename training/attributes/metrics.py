"""Scores of a model of attributes, with and without its catch-all classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from preprocessing.datasets.attribute_table import MISSING_CODE, Attribute
from preprocessing.errors import UsageError
from training.common.metrics import AttributeScores, mean_f1, score_attributes

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
