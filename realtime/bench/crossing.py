"""Scores people's numbers on composed crossings: `python -m realtime.bench.crossing --data DIR`.

In each clip two people walk towards each other, cross and part. A person's number before and after
is that of most frames in which the two do not touch. Prints how often numbers are exchanged.
"""

import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Annotated

import numpy as np
from tqdm import tqdm

from preprocessing.errors import exit_status
from preprocessing.flags import POSITIVE, Arguments, Flag, add_fields, read_fields
from preprocessing.images.contact_sheets import Mark
from preprocessing.images.regions import box_iou, greedy_matches
from preprocessing.synthesis.crossings import RATE, CrossingFrame, crossing
from realtime.bench.answers import Analysis, markdown, wearers, write_figures
from realtime.bench.composed import ComposedSettings
from realtime.bench.sheets import TRUE, WorstPictures, found_marks
from realtime.library.assemble import AnalysisFactory
from realtime.runtime.stats import Stats
from realtime.settings import Recognition, recognition_of
from realtime.types import Frame, Garment

BEFORE, AFTER = -1, 1  # phases of a clip
FOUND_IOU = 0.3  # of a wearer's box with a true person's, from which it is that person
SHEET_INTERVAL = 6  # frames of a clip, of which one is on its contact sheet
NOBODY = 0  # in place of the number of a person who was not found


@dataclass(frozen=True, kw_only=True)
class CrossingSettings(ComposedSettings):
    """Clips to compose."""

    seeds: Annotated[int, Flag("number of clips, one for each seed", POSITIVE, metavar="N")] = 20


@dataclass(frozen=True)
class Outcome:
    """The result of a clip.

    Attributes:
        switched: someone's number after the crossing is the one that the other had before.
        renumbered: someone has another number after it, and not the other's.
        lost: someone was not found before or after it, or both had one number before it.
    """

    switched: bool
    renumbered: bool
    lost: bool


class Numbers:
    """The numbers that two people had, by the phase of the clip."""

    def __init__(self) -> None:
        self._counts: dict[tuple[int, int], Counter[int]] = {
            (phase, person): Counter() for phase in (BEFORE, AFTER) for person in (0, 1)
        }

    def add(self, frame: CrossingFrame, garments: Sequence[Garment]) -> None:
        """Add a frame's people, by the wearers of its garments."""
        found = wearers(garments)
        if frame.phase not in (BEFORE, AFTER) or not found:
            return
        people = list(frame.people)
        overlap = box_iou(
            np.stack([frame.people[person].box for person in people]),
            np.stack([one.box for one in found]),
        )
        for row, column in greedy_matches(overlap, minimum=FOUND_IOU):
            self._counts[frame.phase, people[row]][found[column].number] += 1

    def most_frequent(self, phase: int) -> tuple[int, int]:
        """The number of each of the two in most frames of a phase; NOBODY if not found."""
        first, second = (self._counts[phase, person] for person in (0, 1))
        return (
            max(first, key=first.__getitem__, default=NOBODY),
            max(second, key=second.__getitem__, default=NOBODY),
        )

    def outcome(self) -> Outcome:
        """The result of the clip."""
        before, after = self.most_frequent(BEFORE), self.most_frequent(AFTER)
        pairs = [
            (own, other, now)
            for own, other, now in zip(before, before[::-1], after, strict=True)
            if NOBODY not in (own, now)
        ]
        return Outcome(
            switched=any(now == other != own for own, other, now in pairs),
            renumbered=any(now not in (own, other) for own, other, now in pairs),
            lost=len(pairs) < 2 or before[0] == before[1],
        )


def score_crossing(
    frames: Iterable[CrossingFrame], analysis: Analysis, pictures: WorstPictures
) -> Outcome:
    """Run the pipeline over a clip; `pictures` collects some of its frames."""
    numbers = Numbers()
    for index, frame in enumerate(frames):
        given = Frame(frame.image, index, index, Fraction(1, RATE), time.monotonic())
        garments = analysis(given, Stats())
        numbers.add(frame, garments)
        if index % SHEET_INTERVAL == 0:
            true = [Mark(person.box, TRUE, width=2) for person in frame.people.values()]
            marks = [*true, *found_marks(garments)]
            pictures.add(frame.image, marks, badness=-index, caption=f"frame {index}")
    return numbers.outcome()


def table(outcomes: Sequence[Outcome]) -> str:
    """The fractions of clips as Markdown, in one row."""
    found = figures(outcomes)
    return markdown(("clips", *found), [(len(outcomes), *found.values())])


def figures(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """The fraction of clips with each result."""
    rows = [asdict(outcome) for outcome in outcomes]
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def main(argv: list[str] | None = None) -> int:
    arguments = Arguments(
        prog="python -m realtime.bench.crossing",
        description="Score people's numbers on composed clips of two people who cross: fractions "
        "of clips in which numbers are exchanged, are new after the crossing, or are missing.",
    )
    add_fields(arguments, CrossingSettings)
    add_fields(arguments, Recognition)
    args = arguments.parse(argv)
    return exit_status(lambda: _run(read_fields(CrossingSettings, args), recognition_of(args)))


def _run(settings: CrossingSettings, recognition: Recognition) -> int:
    material, factory = settings.material(), AnalysisFactory(recognition)
    outcomes = {}
    for seed in tqdm(range(settings.seed, settings.seed + settings.seeds), "clips", disable=None):
        rng, pictures = np.random.default_rng(seed), WorstPictures()
        frames = crossing(cutouts=material.cutouts, rooms=material.rooms, rng=rng)
        outcomes[seed] = score_crossing(frames, factory.new_analysis(), pictures)
        if settings.sheet and any(asdict(outcomes[seed]).values()):
            pictures.write(settings.sheet / f"crossing-{seed}.png")
    print(f"{material}, {factory.description}")
    print(table(list(outcomes.values())))
    if settings.json:
        clips = {str(seed): asdict(outcome) for seed, outcome in outcomes.items()}
        write_figures(settings.json, {"all": figures(list(outcomes.values())), "clips": clips})
    return 0


if __name__ == "__main__":
    sys.exit(main())
