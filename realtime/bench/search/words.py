"""Scores queries in words: `python -m realtime.bench.search.words --help`.

A person-second is a second of a source in which a person is there who fits the query, or is found
for it. Precision and recall are of those; what may pass for the query counts neither way.
"""

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor
from pathlib import Path
from typing import Annotated

import numpy as np

from preprocessing.errors import exit_status
from preprocessing.flags import POSITIVE, Arguments, Flag, add_fields, read_fields
from preprocessing.images.regions import box_iou
from realtime.bench.answers import markdown, ratio, write_figures
from realtime.bench.search.footage import Footage, clips, index_all, scenes
from realtime.bench.search.truth import Fits, fits, read_worn
from realtime.search.query import Query, read_query
from realtime.search.ranking import LEAST, Result, find
from realtime.search.reader import Reader

QUERIES = """\
black hoodie | black hoodie, blue jeans | mustard hoodie | orange jumper | grey t-shirt
grey tee and dark trousers | blue t-shirt | blue t-shirt, black trousers | white shirt
red trousers | white jacket | black coat | black jacket without a hat | blue jeans | pink dress
red dress | blue dress | black skirt | yellow skirt | green skirt | grey shorts | shorts | skirt
dress | someone with a bag | black handbag | hat | black hat | person in a beige coat | red jumper
purple top | white t-shirt | white blouse, black skirt | navy trousers | beige trousers
brown coat | coat without a bag | jacket and skirt | white shoes | something red"""
SAME_PERSON = 0.1  # IoU of boxes, from which the person found is the one there
MOST = 10_000


@dataclass(frozen=True, kw_only=True)
class WordsSettings:
    """Where the footage is."""

    clips: Annotated[Path, Flag("folder of clips that worn.csv names", metavar="DIR")]
    rooms: Annotated[Path, Flag("the same of rooms", metavar="DIR")]
    data: Annotated[Path, Flag("people with masks: photos/, masks/, labels.csv", metavar="DIR")]
    grounds: Annotated[Path, Flag("pictures of empty rooms", metavar="DIR")]
    scenes: Annotated[int, Flag("composed scenes", POSITIVE, metavar="N")] = 60
    seed: Annotated[int, Flag("of the scenes", metavar="N")] = 0
    least: Annotated[float, Flag("how sure a result has to be", metavar="P")] = LEAST
    keep: Annotated[
        Path | None,
        Flag("folder for scenes and index, used again if it is there", metavar="DIR",
             default="none"),
    ] = None  # fmt: skip
    json: Annotated[Path | None, Flag("write the figures to FILE as well", metavar="FILE")] = None


@dataclass
class Counts:
    """Person-seconds of a query: right, wrong and missed, with the sources of the last two."""

    query: str
    right: int = 0
    wrong: int = 0
    missed: int = 0
    why: tuple[str, ...] = ()

    def row(self) -> tuple[str | float | int | None, ...]:
        """Precision, recall and counts."""
        precision = ratio(self.right, self.right + self.wrong)
        recall = ratio(self.right, self.right + self.missed)
        return (self.query, precision, recall, self.right, self.wrong, self.missed,
                " ".join(self.why[:6]))  # fmt: skip


def queries() -> list[str]:
    """The queries."""
    return [text.strip() for line in QUERIES.splitlines() for text in line.split("|")]


def score(text: str, query: Query, footage: Sequence[Footage], results: Sequence[Result]) -> Counts:
    """Compare the results of a query with who was there."""
    counts, why = Counts(text), []
    for one in footage:
        found = [result for result in results if Path(result.source) == one.path]
        wanted = [fits(person.outfit, query) for person in one.people]
        for second in range(_length(one)):
            there = [result for result in found if _in_second(result, second)]
            owners = {_owner(result, one) for result in there}
            right = sum(wanted[n] == Fits.YES for n in owners if n is not None)
            wrong = sum(wanted[n] == Fits.NO for n in owners if n is not None)
            wrong += sum(_owner(result, one) is None for result in there)
            missed = sum(fit == Fits.YES for n, fit in enumerate(wanted) if n not in owners)
            counts.right, counts.wrong = counts.right + right, counts.wrong + wrong
            counts.missed += missed
            why += [f"+{one.path.stem}"] * bool(wrong) + [f"-{one.path.stem}"] * bool(missed)
    counts.why = tuple(dict.fromkeys(why))
    return counts


def _length(footage: Footage) -> int:
    """The seconds of a source, the last one begun."""
    import av

    if footage.path.is_dir():
        return ceil(len(list(footage.path.iterdir())) / 25)
    with av.open(str(footage.path)) as container:
        assert container.duration is not None, "a file that says how long it is"
        return max(1, round(container.duration / av.time_base))


def _in_second(result: Result, second: int) -> bool:
    return any(floor(since) <= second <= floor(until) for since, until in result.spans)


def _owner(result: Result, footage: Footage) -> int | None:
    """The number of the person in a source who was found; None for nobody."""
    people = footage.people
    if not people:
        return None
    if people[0].box is None:
        return 0
    row = result.best.row
    box = np.array(row["person_box"] or row["box"], np.float32)
    overlap = box_iou(
        box[None], np.stack([person.box for person in people if person.box is not None])
    )[0]
    best = int(overlap.argmax())
    return best if overlap[best] >= SAME_PERSON or not row["person_box"] else None


def main(argv: list[str] | None = None) -> int:
    arguments = Arguments(
        prog="python -m realtime.bench.search.words",
        description="Score queries in words on clips, rooms and composed scenes: precision and "
        "recall at the person-second.",
    )
    add_fields(arguments, WordsSettings)
    args = arguments.parse(argv)
    return exit_status(lambda: _run(read_fields(WordsSettings, args)))


def _run(settings: WordsSettings) -> int:
    with tempfile.TemporaryDirectory() as scratch:
        folder = settings.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        worn = dict(read_worn())
        footage = [*clips(settings.clips, worn), *clips(settings.rooms, worn),
                   *scenes(settings.data, settings.grounds, folder, count=settings.scenes,
                           seed=settings.seed)]  # fmt: skip
        index = folder / "index"
        if not index.exists():
            index_all(footage, index)
        reader = Reader(index)
        counts = []
        for text in queries():
            query = read_query(text, taught=reader.leaves())
            results = find(reader, query, least=settings.least, most=MOST)
            counts.append(score(text, query, footage, results))
    total = Counts("all")
    for one in counts:
        total.right, total.wrong = total.right + one.right, total.wrong + one.wrong
        total.missed += one.missed
    head = (
        "query",
        "precision",
        "recall",
        "right",
        "wrong",
        "missed",
        "found wrongly (+), missed (-)",
    )
    print(markdown(head, [one.row() for one in (*counts, total)]))
    if settings.json:
        write_figures(settings.json, {one.query: one.row()[1:6] for one in (*counts, total)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
