"""Who wears what in the footage of the search benchmark, by eye, and which queries that answers.

worn.csv has a line a photo or clip: "outwear/shirt blue=navy/grey; hat? black" is one garment that
is an outwear, or may pass for a shirt, in blue and navy, or what may pass for grey, and a hat of
which it is not clear whether it is one. What a query may or may not mean counts neither way.
"""

import csv
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from preprocessing.errors import DataError
from preprocessing.labels import BODY_PART, GARMENT_CLASSES, general_names
from realtime.search.colours import FAMILY_WORDS, TONES
from realtime.search.query import Item, Query

WORN = Path(__file__).with_name("worn.csv")
LIGHT_COLOURS = {  # by word, those that surely are and those that may be
    "dark": (("black", "navy"), ("brown", "grey", "purple", "blue", "green", "red")),
    "light": (("white", "beige"), ("grey", "pink", "blue", "yellow")),
}


class Fits(IntEnum):
    """How a garment or person fits."""

    NO = 0
    MAYBE = 1
    YES = 2


@dataclass(frozen=True)
class WornGarment:
    """A garment that somebody wears: the first kind and the sure colours, and what may pass."""

    kinds: tuple[str, ...]
    sure: tuple[str, ...]
    maybe: tuple[str, ...]
    doubtful: bool

    def fits(self, item: Item) -> Fits:
        """How it fits an item of a query."""
        of_kind = [item.kind in (kind, *general_names(kind)) for kind in self.kinds]
        if not any(of_kind):
            return Fits.NO
        found = [Fits.YES if of_kind[0] and not self.doubtful else Fits.MAYBE]
        if item.colours and not item.implied:
            found.append(max(map(self._fits_colour, item.colours)))
        for word in item.lights:
            found.append(self._among(*LIGHT_COLOURS[word]))
        return min(found)

    def _fits_colour(self, word: str) -> Fits:
        name = FAMILY_WORDS.get(word, word)
        return self._among((name,), TONES[word][1] if word in TONES else ())

    def _among(self, sure: Collection[str], maybe: Collection[str]) -> Fits:
        if any(name in sure for name in self.sure):
            return Fits.YES
        all_named = (*self.sure, *self.maybe)
        return Fits.MAYBE if any(name in (*sure, *maybe) for name in all_named) else Fits.NO

    def visible(self, layers: Collection[str]) -> bool:
        """True if it may be seen where these layers are seen; a jacket may be masked as a shirt."""
        parts = {BODY_PART.get(kind, kind) for kind in self.kinds}
        there = {BODY_PART.get(name, name) for name, row in GARMENT_CLASSES.items()
                 if row.layer in layers}  # fmt: skip
        return self.doubtful or bool(parts & there) or ("dress" in layers and "lower" in parts)


Outfit = tuple[WornGarment, ...]


def fits(outfit: Outfit, query: Query) -> Fits:
    """How a person in an outfit fits a query."""
    found = []
    for item in query.items:
        best = max((garment.fits(item) for garment in outfit), default=Fits.NO)
        found.append(best if item.worn else Fits(Fits.YES - best))
    return min(found)


def read_worn(path: Path = WORN) -> Mapping[str, Outfit]:
    """The outfits by file.

    Raises:
        DataError: the file is missing or damaged.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return {row["file"]: _outfit(row["garments"]) for row in csv.DictReader(file)}
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"cannot read {path} ({error}): wanted the columns file and garments"
                        ) from error  # fmt: skip


def _outfit(text: str) -> Outfit:
    return tuple(_garment(part) for part in text.split(";") if part.strip())


def _garment(text: str) -> WornGarment:
    names, colours = text.split()
    first, *others = colours.split("/")
    kinds = tuple(names.replace("?", "").split("/"))
    return WornGarment(kinds, tuple(first.split("=")), tuple(others), "?" in names)
