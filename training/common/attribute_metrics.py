"""Scores of networks with several attributes, each beside a baseline that is always the same."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from preprocessing.datasets.attribute_table import MISSING, Attribute
from training.common.metrics import Scores, score
from training.inference.attributes import split_outputs


@dataclass(frozen=True, eq=False)
class AttributeScores:
    """One attribute's scores over the pictures whose class is known.

    Attributes:
        scores: of the network.
        baseline: of always predicting the most frequent class of training.
    """

    attribute: Attribute
    scores: Scores
    baseline: Scores

    def summary(self) -> dict[str, float | int]:
        """The single figures, ready for JSON."""
        return {
            "count": self.scores.count,
            **{
                f"{prefix}{name}": round(getattr(scores, name), 5)
                for prefix, scores in (("", self.scores), ("baseline_", self.baseline))
                for name in ("accuracy", "balanced_accuracy", "macro_f1")
            },
        }


def score_attributes(
    logits: np.ndarray,
    values: np.ndarray,
    attributes: Sequence[Attribute],
    *,
    modes: np.ndarray,
    excluded: dict[str, str] | None = None,
) -> list[AttributeScores]:
    """Compare logits (N, all classes) with classes (N, attributes), where these are known.

    Args:
        modes: int (attributes,), the predictions of the baseline.
        excluded: codes by attribute that neither count as truth nor are predicted.
    """
    found = []
    outputs = split_outputs(logits, attributes)
    for attribute, own, truth, mode in zip(attributes, outputs, values.T, modes, strict=True):
        known, constant = truth != MISSING, int(mode)
        code = (excluded or {}).get(attribute.name)
        if code is not None:
            number = attribute.codes.index(code)
            known &= truth != number
            own = own.copy()
            own[:, number] = -np.inf
            constant = int(np.bincount(truth[known]).argmax()) if known.any() else constant
        if known.any():
            always = np.full((int(known.sum()), len(attribute)), -np.inf, np.float32)
            always[:, constant] = 0
            found.append(AttributeScores(
                attribute, score(own[known], truth[known]), score(always, truth[known])
            ))  # fmt: skip
    return found


def mean_f1(found: Sequence[AttributeScores]) -> float:
    """Mean macro-F1 over the attributes; nan for none."""
    return float(np.mean([one.scores.macro_f1 for one in found])) if found else float("nan")


def attribute_table(
    found: Sequence[AttributeScores], *, excluded: dict[str, str] | None = None
) -> str:
    """Return the scores as Markdown; `excluded` as in `score_attributes`."""
    lines = [
        "| attribute | pictures | accuracy | balanced | macro-F1 | baseline: accuracy | balanced "
        "| macro-F1 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in found:
        attribute, code = one.attribute, (excluded or {}).get(one.attribute.name)
        name = attribute.name
        if code is not None:
            name += f" (without {attribute.titles[attribute.codes.index(code)]})"
        figures = " | ".join(
            f"{scores.accuracy:.1%} | {scores.balanced_accuracy:.1%} | {scores.macro_f1:.3f}"
            for scores in (one.scores, one.baseline)
        )
        lines.append(f"| {name} | {one.scores.count} | {figures} |")
    return "\n".join(lines)
