"""Figures that judge a model of attributes, each beside the answer that always says the same."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from preprocessing.datasets.attribute_table import MISSING, MISSING_CODE, Attribute
from preprocessing.errors import UsageError
from training.common.metrics import Scores, score
from training.inference.attributes import split_outputs

LAST = "last"  # --catch-all: the last code of every attribute


@dataclass(frozen=True, eq=False)
class AttributeScores:
    """One attribute's figures over the pictures whose class is known.

    Attributes:
        scores: of the network.
        baseline: of always answering training's most frequent class.
    """

    attribute: Attribute
    scores: Scores
    baseline: Scores

    def summary(self) -> dict[str, float | int]:
        """Single figures, ready for JSON."""
        return {
            "count": self.scores.count,
            **{
                f"{prefix}{name}": round(getattr(scores, name), 5)
                for prefix, scores in (("", self.scores), ("baseline_", self.baseline))
                for name in ("accuracy", "balanced_accuracy", "macro_f1")
            },
        }


def judge(
    logits: np.ndarray,
    values: np.ndarray,
    attributes: Sequence[Attribute],
    *,
    modes: np.ndarray,
    catch_all: dict[str, str] | None = None,
) -> list[AttributeScores]:
    """Score logits (N, all classes) against classes (N, attributes); unknown ones do not count.

    Args:
        modes: int (attributes,), what the baseline answers.
        catch_all: codes by attribute that neither count as truth nor may be answered.
    """
    found = []
    for column, (attribute, answers) in enumerate(
        zip(attributes, split_outputs(logits, attributes), strict=True)
    ):
        truth, constant = values[:, column], int(modes[column])
        kept = truth != MISSING
        code = (catch_all or {}).get(attribute.name)
        if code is not None:
            left_out = attribute.codes.index(code)
            kept &= truth != left_out
            answers = answers.copy()
            answers[:, left_out] = -np.inf
            constant = _most_frequent(truth[kept], fallback=constant)
        if kept.any():
            same = np.full((int(kept.sum()), len(attribute)), -np.inf, np.float32)
            same[:, constant] = 0
            found.append(AttributeScores(
                attribute, score(answers[kept], truth[kept]), score(same, truth[kept])
            ))  # fmt: skip
    return found


def _most_frequent(truth: np.ndarray, *, fallback: int) -> int:
    return int(np.bincount(truth).argmax()) if len(truth) else fallback


def mean_f1(found: Sequence[AttributeScores]) -> float:
    """Mean macro-F1 over the attributes; nan for none."""
    return float(np.mean([one.scores.macro_f1 for one in found])) if found else float("nan")


def catch_alls(text: str | None, attributes: Sequence[Attribute]) -> dict[str, str]:
    """The codes that --catch-all names: "last", or "neck=6,pattern=9".

    Raises:
        UsageError: no such attribute or code.
    """
    if not text:
        return {}
    if text == LAST:
        return {one.name: [c for c in one.codes if c != MISSING_CODE][-1] for one in attributes}
    known = {attribute.name: attribute.codes for attribute in attributes}
    found = dict(part.partition("=")[::2] for part in text.split(","))
    for name, code in found.items():
        if code not in known.get(name, ()):
            have = "; ".join(f"{name}={'|'.join(codes)}" for name, codes in known.items())
            raise UsageError(f"--catch-all {name}={code}: no such code, have {have}")
    return found


def table(found: Sequence[AttributeScores], *, without: dict[str, str]) -> str:
    """The figures as Markdown."""
    lines = [
        "| attribute | pictures | accuracy | balanced | macro-F1 | baseline: accuracy | balanced "
        "| macro-F1 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in found:
        name = one.attribute.name
        if name in without:
            name += f" (without {one.attribute.titles[one.attribute.codes.index(without[name])]})"
        figures = " | ".join(
            f"{scores.accuracy:.1%} | {scores.balanced_accuracy:.1%} | {scores.macro_f1:.3f}"
            for scores in (one.scores, one.baseline)
        )
        lines.append(f"| {name} | {one.scores.count} | {figures} |")
    return "\n".join(lines)
