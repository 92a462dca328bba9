"""Scores the pipeline on people in rooms: `python -m realtime.bench.rooms --clips CSV`.

A clip's labels name everything that is worn in it. Prints how most frames name what is worn on the
upper body and on the legs, how often a name is wrong, and how often there is none; and, on footage
of empty rooms, how many garments are found where nobody is.
"""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tqdm import tqdm

from preprocessing.errors import UsageError, exit_status
from preprocessing.flags import Arguments, Flag, add_fields, read_fields
from preprocessing.labels import BODY_PART
from realtime.bench.answers import (
    Analysis,
    Cell,
    class_of,
    is_general,
    markdown,
    predicted,
    ratio,
    summed,
    wearers,
    winner,
    write_figures,
)
from realtime.bench.footage import Footage, frames_of, read_clips, read_empty
from realtime.bench.sheets import WorstPictures, found_marks
from realtime.library.assemble import AnalysisFactory
from realtime.runtime.stats import Stats
from realtime.settings import Recognition, recognition_of
from realtime.types import UNKNOWN, Garment

RIGHT, WRONG, GENERAL, NONE = ANSWERS = ("right", "wrong", "general", "none")
UPPER, LOWER = "upper", "lower"  # body parts
SHEET_INTERVAL = 10  # frames of a clip, of which one may be on its contact sheet


@dataclass(frozen=True, kw_only=True)
class RoomSettings:
    """Footage to score.

    Raises:
        UsageError: there is none.
    """

    clips: Annotated[
        Path | None,
        Flag(
            "clips of people with all that is worn: columns file, labels; a file may be a folder "
            "of pictures",
            metavar="CSV",
        ),
    ] = None
    empty: Annotated[
        Path | None,
        Flag(
            "pictures and videos without people: a folder, or a CSV with the columns file and "
            "labels, of which rows without labels are used",
            metavar="DIR|CSV",
        ),
    ] = None
    json: Annotated[Path | None, Flag("write the figures to FILE as well", metavar="FILE")] = None
    sheet: Annotated[
        Path | None,
        Flag("write a contact sheet of each clip's worst frames into DIR", metavar="DIR"),
    ] = None

    def __post_init__(self) -> None:
        if not self.clips and not self.empty:
            raise UsageError("nothing to score: give --clips CSV or --empty DIR")


@dataclass
class RoomScore:
    """Counts over clips of people.

    Attributes:
        answers: by body part, how most of a clip's frames that name the garment there name it: one
            of ANSWERS for each clip and label.
        chances: frames times garments on the upper body; hits: those named right.
        rows: garments reported; unknown: those without a name.
        wrong: garments with a name that nothing worn has; surplus: with the name of something worn
            that another one has already.
        people: wearers, over all frames.
    """

    name: str
    frames: int = 0
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    chances: int = 0
    hits: int = 0
    rows: int = 0
    unknown: int = 0
    wrong: int = 0
    surplus: int = 0
    people: int = 0

    def figures(self) -> dict[str, Cell]:
        """Answers in words, fractions and rates; None if nothing was counted."""
        return {
            "top": self._in_words(UPPER),
            "trousers": self._in_words(LOWER),
            "top_frames_right": ratio(self.hits, self.chances),
            "wrong_names": ratio(self.wrong, self.frames),
            "surplus_names": ratio(self.surplus, self.frames),
            "unknown": ratio(self.unknown, self.rows),
            "people": ratio(self.people, self.frames),
        }

    def _in_words(self, part: str) -> str:
        counts = {one: self.answers[part, one] for one in ANSWERS if self.answers[part, one]}
        if sum(counts.values()) == 1:
            return next(iter(counts))
        return ", ".join(f"{count} {one}" for one, count in counts.items())


def answer(name: str, garment: Garment | None) -> str:
    """One of ANSWERS: how the garment that stands for a class names it."""
    if garment is None or not garment.label.known:
        return NONE
    if class_of(garment) == name:
        return RIGHT
    return GENERAL if is_general(garment, name) else WRONG


def score_clip(footage: Footage, analysis: Analysis, worst: WorstPictures) -> RoomScore:
    """Run the pipeline over a clip.

    Args:
        worst: collects the frames with most wrong names.
    """
    score = RoomScore(_name(footage.path))
    judged = [name for name in footage.classes if BODY_PART.get(name) in (UPPER, LOWER)]
    votes: list[Counter[str]] = [Counter() for _ in judged]
    for frame, _ in frames_of(footage):
        garments = analysis(frame, Stats())
        wrong = _count_names(score, footage.classes, garments)
        # Where people are found, what they don't wear is not taken for it.
        worn = [garment for garment in garments if garment.region.wearer] or garments
        for name, counts in zip(judged, votes, strict=True):
            found = answer(name, predicted(name, worn))
            counts[found] += found != NONE
            score.chances += BODY_PART[name] == UPPER
            score.hits += BODY_PART[name] == UPPER and found == RIGHT
            wrong += found == WRONG
        if frame.index % SHEET_INTERVAL == 0:
            caption = f"{score.name}, frame {frame.index}"
            worst.add(frame.image, found_marks(garments), badness=wrong, caption=caption)
    for name, counts in zip(judged, votes, strict=True):
        majority = winner(counts)
        score.answers[BODY_PART[name], NONE if majority == UNKNOWN else majority] += 1
    return score


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _count_names(score: RoomScore, worn: Sequence[str], garments: Sequence[Garment]) -> int:
    """Count a frame's garments; the number of wrong names.

    Args:
        worn: classes, one for each garment that is worn.
    """
    named = [garment for garment in garments if garment.label.known]
    fits = {name: [answer(name, g) in (RIGHT, GENERAL) for g in named] for name in worn}
    wrong = sum(not any(fit[index] for fit in fits.values()) for index in range(len(named)))
    expected = sum(min(count, sum(fits[name])) for name, count in Counter(worn).items())
    score.frames += 1
    score.rows += len(garments)
    score.unknown += len(garments) - len(named)
    score.wrong += wrong
    score.surplus += max(0, len(named) - wrong - expected)
    score.people += len(wearers(garments))
    return wrong


@dataclass
class EmptyScore:
    """Counts over footage without people.

    Attributes:
        named: garments with a name; found: all garments.
    """

    name: str
    frames: int = 0
    named: int = 0
    found: int = 0

    def figures(self) -> dict[str, Cell]:
        """Garments a frame; None if there was no frame."""
        return {
            "frames": self.frames,
            "named": ratio(self.named, self.frames),
            "found": ratio(self.found, self.frames),
        }


def score_empty(footage: Footage, analysis: Analysis, worst: WorstPictures) -> EmptyScore:
    """Run the pipeline over footage without people; `worst` collects frames with garments."""
    score = EmptyScore(_name(footage.path))
    for frame, _ in frames_of(footage):
        garments = analysis(frame, Stats())
        score.frames += 1
        score.named += sum(garment.label.known for garment in garments)
        score.found += len(garments)
        if garments and frame.index % SHEET_INTERVAL == 0:
            caption = f"{score.name}, frame {frame.index}"
            worst.add(frame.image, found_marks(garments), badness=len(garments), caption=caption)
    return score


CLIP_COLUMNS = {
    "top": "top", "trousers": "trousers", "top_frames_right": "top, frames right",
    "wrong_names": "wrong names a frame", "surplus_names": "surplus names a frame",
    "unknown": "unknown rows", "people": "people a frame",
}  # fmt: skip
EMPTY_COLUMNS = {"frames": "frames", "named": "named a frame", "found": "found a frame"}


def _table(title: str, columns: Mapping[str, str], scores: Sequence[RoomScore | EmptyScore]) -> str:
    """The figures as Markdown, a row for each score."""
    rows = [(score.name, *(score.figures()[key] for key in columns)) for score in scores]
    return markdown((title, *columns.values()), rows)


def main(argv: list[str] | None = None) -> int:
    arguments = Arguments(
        prog="python -m realtime.bench.rooms",
        description="Score the pipeline on people in rooms: how most frames name the tops and "
        "trousers of each clip, wrong and missing names; and garments found in empty rooms.",
    )
    add_fields(arguments, RoomSettings)
    add_fields(arguments, Recognition)
    args = arguments.parse(argv)
    return exit_status(lambda: _run(read_fields(RoomSettings, args), recognition_of(args)))


def _run(settings: RoomSettings, recognition: Recognition) -> int:
    clips = read_clips(settings.clips) if settings.clips else []
    empty = read_empty(settings.empty) if settings.empty else []
    run = _Runs(AnalysisFactory(recognition), settings.sheet)
    scores = run.clips(clips)
    empty_scores = run.empty(empty)
    if scores:
        print(_table("clip", CLIP_COLUMNS, scores), end="\n\n" if empty_scores else "\n")
    if empty_scores:
        print(_table("empty", EMPTY_COLUMNS, empty_scores))
    if settings.json:
        all_scores: list[RoomScore | EmptyScore] = [*scores, *empty_scores]
        write_figures(settings.json, {score.name: score.figures() for score in all_scores})
    return 0


class _Runs:
    """Runs over footage with networks that are loaded once; contact sheets go to a folder."""

    def __init__(self, factory: AnalysisFactory, sheets: Path | None):
        self._factory, self._sheets = factory, sheets

    def clips(self, clips: Sequence[Footage]) -> list[RoomScore]:
        """The scores of clips, those of folders with several of them, and that of all."""
        scores = []
        for clip in tqdm(clips, "clips", disable=None):
            worst = WorstPictures()
            scores.append(score_clip(clip, self._factory.new_analysis(), worst))
            self._write(worst, f"{clip.path.parent.name}-{clip.path.stem}")
        folders = [clip.path.parent.name for clip in clips]
        sums = [
            summed(RoomScore(f"{folder}, {count} clips"),
                   (s for s, f in zip(scores, folders, strict=True) if f == folder))
            for folder, count in Counter(folders).items() if 1 < count < len(clips)
        ]  # fmt: skip
        all_clips = [summed(RoomScore(f"all {len(clips)} clips"), scores)] if clips else []
        return [*scores, *sums, *all_clips]

    def empty(self, footage: Sequence[Footage]) -> list[EmptyScore]:
        """The scores of footage without people, and that of all."""
        worst = WorstPictures()
        scores = [
            score_empty(one, self._factory.new_analysis(), worst)
            for one in tqdm(footage, "empty", disable=None)
        ]
        self._write(worst, "empty")
        return [*scores, summed(EmptyScore(f"all {len(footage)} empty"), scores)] if scores else []

    def _write(self, worst: WorstPictures, name: str) -> None:
        if self._sheets:
            worst.write(self._sheets / f"{name}.png")


if __name__ == "__main__":
    sys.exit(main())
