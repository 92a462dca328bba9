"""Rules of what people in a zone wear, such as "zone floor without hat"."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from preprocessing.labels import general_names

if TYPE_CHECKING:
    from realtime.types import Worn

FORM = (
    '"zone NAME without KIND", "zone NAME with KIND" (a kind may follow a colour, and "or" another '
    'kind), "zone NAME more than N", each perhaps with "for SECONDS" behind it'
)
_RULE = re.compile(
    r"\s*(?:in )?zone (?P<zone>.+?) "
    r"(?:(?P<how>with|without) (?P<kinds>.+?)|more than (?P<most>\d+))"
    r"(?: for (?P<seconds>\d+(?:\.\d+)?) ?s?)?\s*",
    re.IGNORECASE,
)
SECONDS = 1.0  # for which a rule is broken before that is an event


@dataclass(frozen=True)
class Rule:
    """Something that is not to be in a zone.

    Attributes:
        text: as it was given.
        kinds: names of garments, perhaps behind a colour; empty for a rule of numbers.
        without: True if it is broken by who wears none of the kinds, else by who wears one.
        most: people who may be in the zone at a time; None for a rule of garments.
        seconds: for which it must be broken.
    """

    text: str
    zone: str
    kinds: tuple[str, ...] = ()
    without: bool = False
    most: int | None = None
    seconds: float = SECONDS

    def is_broken_by(self, garments: "Iterable[Worn]") -> bool:
        """Return True if these garments of a person break it."""
        found = any(_is(worn, kind) for worn in garments for kind in self.kinds)
        return bool(self.kinds) and found != self.without


def read_rule(text: str) -> Rule:
    """Return the rule of a text.

    Raises:
        ValueError: it is none.
    """
    match = _RULE.fullmatch(text)
    if match is None:
        raise ValueError(f"wanted {FORM}")
    seconds = float(match["seconds"]) if match["seconds"] else SECONDS
    if match["most"]:
        return Rule(text, match["zone"], most=int(match["most"]), seconds=seconds)
    kinds = tuple(kind.strip().lower() for kind in re.split(r",| or ", match["kinds"]))
    return Rule(text, match["zone"], kinds, match["how"].lower() == "without", seconds=seconds)


def _is(worn: "Worn", kind: str) -> bool:
    """True if a garment is of a kind, or of one under it."""
    names = {name.lower() for name in (worn.label, *general_names(worn.label))}
    return kind in names or any(kind == f"{worn.colour} {name}".lower() for name in names)
