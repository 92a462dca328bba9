"""Judges garments by their names: classes, layers, majorities over frames, and tables of figures.

Shared by the commands that score the pipeline.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TypeVar

import numpy as np

from preprocessing.errors import SinkError
from preprocessing.flags import Dataclass
from preprocessing.labels import (
    BODY_PART,
    CLASS_OF,
    GARMENT_CLASSES,
    LAYERS,
    PHOTO_CLASS,
    general_names,
)
from realtime.runtime.stats import Stats
from realtime.types import UNKNOWN, Frame, Garment, Person

Analysis = Callable[[Frame, Stats], list[Garment]]
Cell = str | float | int | None
S = TypeVar("S", bound=Dataclass)


def class_of(garment: Garment) -> str:
    """The class that a garment's name means; the name itself if it is a general one or UNKNOWN."""
    return CLASS_OF.get(garment.label.name, garment.label.name)


def is_general(garment: Garment, name: str) -> bool:
    """True if a garment's name is a more general one than a class: "top" for "t-shirt"."""
    return class_of(garment) in general_names(name)


def layer_of(garment: Garment) -> str:
    """The layer that a garment's name means; of an unnamed one the locator's most probable layer.

    A name that several layers have in common means the most probable class under it. It is "" if
    nothing is known.
    """
    label, scores = garment.label, garment.region.scores
    names = (label.name, *(name for name, _ in reversed(label.path))) if label.known else ()
    for name in names:
        found = CLASS_OF.get(name) or PHOTO_CLASS.get(name)
        if found or name in LAYERS:
            return GARMENT_CLASSES[found].layer if found else name
    if scores is None or len(scores) != len(LAYERS):
        return ""
    return LAYERS[int(scores.argmax())]


def predicted(name: str, garments: Sequence[Garment], *, single: bool = False) -> Garment | None:
    """The garment that stands for a class: the largest on its body part; None if there is none.

    Args:
        single: the garment is the only one, so that all that were found stand for it.
    """
    part = BODY_PART.get(name, name)
    there = [g for g in garments if single or BODY_PART.get(class_of(g), class_of(g)) == part]
    return max(there, key=_area, default=None)


def _area(garment: Garment) -> float:
    return float(np.prod(garment.region.box[2:] - garment.region.box[:2]))


def wearers(garments: Iterable[Garment]) -> list[Person]:
    """The people who wear the garments of a frame, each once."""
    found = (garment.region.wearer for garment in garments)
    return list({id(person): person for person in found if person}.values())


def winner(votes: Counter[str]) -> str:
    """The most frequent answer; UNKNOWN if there was none."""
    return max(votes, key=votes.__getitem__) if votes.total() else UNKNOWN


def summed(total: S, scores: Iterable[S]) -> S:
    """Add counts to those of `total`, all fields but `name`, in place; return it."""
    for score in scores:
        for one in fields(total):
            if one.name != "name":
                setattr(total, one.name, getattr(total, one.name) + getattr(score, one.name))
    return total


def ratio(part: float, whole: float) -> float | None:
    """A fraction; None if nothing was counted."""
    return part / whole if whole else None


def markdown(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A table as Markdown: floats with two digits, None as an empty cell."""
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    return "\n".join((*lines, *("| " + " | ".join(map(_shown, row)) + " |" for row in rows)))


def _shown(value: Cell) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def write_figures(path: Path, figures: Mapping[str, object]) -> None:
    """Write figures as a JSON object.

    Raises:
        SinkError: the file cannot be written.
    """
    try:
        path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error.strerror} (choose another --json)") from error
