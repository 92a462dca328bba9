"""`--find WORDS` on a run: the garments in each frame that fit a query get an attribute.

So it is written on their labels, and in the rows as `attributes`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol

from preprocessing.labels import CLASS_OF, GARMENT, general_names
from realtime.runtime.stats import Stats
from realtime.search.colours import families, lightness_of
from realtime.search.query import Item, Query
from realtime.types import FOUND, Beside, Frame, Garment, LabelledFrame

LEAST = 0.3  # how sure a garment has to be
LIGHT, DARK = 62.0, 40.0  # lightness of a colour's usual tone, from which on it is light, or dark


class Marker:
    """Marks the garments that fit a query.

    Args:
        words: written on them.
    """

    def __init__(self, query: Query, words: str):
        self._query, self._words = query, words

    def analysed(self, frames: Iterable[LabelledFrame]) -> Iterator[LabelledFrame]:
        """Yield labelled frames with their garments marked."""
        for labelled in frames:
            yield replace(labelled, garments=self(labelled.garments))

    def __call__(self, garments: Sequence[Garment]) -> list[Garment]:
        """The garments of a frame, those marked that fit an item of someone who wears all."""
        by_person: dict[object, list[Garment]] = defaultdict(list)
        for garment in garments:
            by_person[garment.person or ("alone", garment.track)].append(garment)
        marked = {one.track for some in by_person.values() for one in self._fitting(some)}
        return [self._marked(one) if one.track in marked else one for one in garments]

    def _fitting(self, garments: Sequence[Garment]) -> list[Garment]:
        found = []
        for item in self._query.items:
            fits = [one for one in garments if fit(item, one) >= LEAST]
            if bool(fits) != item.worn:
                return []
            found += fits
        return found

    def _marked(self, garment: Garment) -> Garment:
        return replace(garment, attributes={**garment.attributes, FOUND: self._words})


def fit(item: Item, garment: Garment) -> float:
    """How probable it is that a garment is an item, 0 to 1."""
    score = _kind(item.kind, garment)
    if item.colours and not item.implied:
        score *= families(item.colours).get(garment.colour, 0.0)
    for word in item.lights:
        lightness = lightness_of(garment.colour) if garment.colour else 50.0
        dark = word in ("dark", "deep")
        score *= lightness <= DARK if dark else lightness >= LIGHT
    return score


def _kind(kind: str, garment: Garment) -> float:
    label = garment.label
    path = label.path or ((label.name, label.probability),)
    for name, probability in path:
        if kind in (name, CLASS_OF.get(name)):
            return probability
    known = kind == GARMENT or kind in general_names(path[-1][0])
    return path[0][1] if known else 0.0


class Analysis(Protocol):
    """The part of an analysis that is needed; see `library.pipeline.Analyser`."""

    title: str
    annotator: Any

    def analysed(
        self, frames: Iterable[Frame], stats: Stats, *, concurrent: bool, beside: Beside
    ) -> Iterator[LabelledFrame]:
        """Yield frames with their garments, in order."""
        ...


class FindingAnalysis:
    """An analysis whose garments are marked; see `library.pipeline.Analyser`."""

    def __init__(self, analysis: Analysis, query: Query, words: str):
        self._analysis, self._marker = analysis, Marker(query, words)
        self.annotator, self.title = analysis.annotator, analysis.title

    def analysed(
        self, frames: Iterable[Frame], stats: Stats, *, concurrent: bool, beside: Beside
    ) -> Iterator[LabelledFrame]:
        """Yield frames with their garments, in order."""
        found = self._analysis.analysed(frames, stats, concurrent=concurrent, beside=beside)
        return self._marker.analysed(found)
