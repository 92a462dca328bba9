"""Scores the whole pipeline on labelled footage: `python -m realtime.bench.score --clips CSV`.

Clips pass the same stages as in the app, without drawing; a photo becomes a short clip with a
simulated camera motion. Prints a row for each clip, one for the photos and one for all.
"""

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from preprocessing.errors import UsageError, exit_status
from preprocessing.flags import add_fields
from preprocessing.images.regions import box_iou
from realtime.bench.answers import (
    class_of,
    is_general,
    markdown,
    predicted,
    ratio,
    summed,
    winner,
    write_figures,
)
from realtime.bench.footage import (
    Footage,
    frames_of,
    moved_box,
    read_clips,
    read_marked_boxes,
    read_photos,
)
from realtime.library.assemble import AnalysisFactory
from realtime.runtime.stats import Stats
from realtime.settings import Recognition, recognition_of
from realtime.types import UNKNOWN, Frame, Garment, Region

FOUND_IOU = 0.5  # with the marked box, from which a garment counts as found


@dataclass
class Score:
    """Counts over footage.

    Attributes:
        expected: garments in the footage; right: those labelled right by most frames.
        chances: garments times frames; hits: those labelled right in the frame.
        rows: garments reported; unknown: those without a label.
        changes: of tracks' labels in track_seconds.
        raw_changes: of the likeliest class of each frame alone, in raw_seconds of tracks that are
            detected on every frame.
        free_frames: of garment-free footage; false_frames: those with a labelled garment.
        overlaps: IoU with the marked box, for each frame of a photo.
        milliseconds: of analysis, for each frame.
    """

    name: str
    frames: int = 0
    expected: int = 0
    right: int = 0
    chances: int = 0
    hits: int = 0
    rows: int = 0
    unknown: int = 0
    changes: int = 0
    track_seconds: float = 0.0
    raw_changes: int = 0
    raw_seconds: float = 0.0
    free_frames: int = 0
    false_frames: int = 0
    overlaps: list[float] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, float | int | None]:
        """Fractions and rates of the counts; None if nothing was counted."""
        times, found = self.milliseconds, sum(iou >= FOUND_IOU for iou in self.overlaps)
        return {
            "frames": self.frames,
            "majority_right": ratio(self.right, self.expected),
            "frames_right": ratio(self.hits, self.chances),
            "changes_per_second": ratio(self.changes, self.track_seconds),
            "raw_changes_per_second": ratio(self.raw_changes, self.raw_seconds),
            "unknown": ratio(self.unknown, self.rows),
            "false_alarms": ratio(self.false_frames, self.free_frames),
            "box_iou": float(np.mean(self.overlaps)) if self.overlaps else None,
            "box_recall": ratio(found, len(self.overlaps)),
            "ms_mean": float(np.mean(times)) if times else None,
            "ms_p95": float(np.percentile(times, 95)) if times else None,
        }


class LabelChanges:
    """Labels of tracks over time: how often they changed, and how long the tracks were visible."""

    def __init__(self) -> None:
        self.count = 0
        self._last: dict[int, str] = {}
        self._times: dict[int, list[float]] = defaultdict(list)

    def add(self, garments: Sequence[Garment], labels: Sequence[str], time: float) -> None:
        """Add the labels of garments in a frame, at a time in seconds."""
        for garment, label in zip(garments, labels, strict=True):
            self.count += self._last.get(garment.track, label) != label
            self._last[garment.track] = label
            self._times[garment.track].append(time)

    @property
    def seconds(self) -> float:
        """All tracks' time from their first to their last frame."""
        return sum(times[-1] - times[0] for times in self._times.values())


class RawChanges:
    """Label changes without voting: the likeliest class of each frame alone.

    Args:
        analysis: with detection on every frame.
        classifier: from a frame's image and regions to class probabilities (N, classes).
    """

    def __init__(
        self,
        analysis: Callable[[Frame, Stats], list[Garment]],
        classifier: Callable[[np.ndarray, list[Region]], np.ndarray],
    ):
        self._analysis, self._classifier = analysis, classifier
        self.changes = LabelChanges()

    def add(self, frame: Frame) -> None:
        """Add the next frame."""
        garments = self._analysis(frame, Stats())
        rows = self._classifier(frame.image, [garment.region for garment in garments])
        self.changes.add(garments, [str(best) for best in rows.argmax(axis=1)], frame.time)


def score_footage(
    footage: Footage,
    analysis: Callable[[Frame, Stats], list[Garment]],
    *,
    box: np.ndarray | None = None,
    raw: RawChanges | None = None,
) -> Score:
    """Run the pipeline over a clip or photo.

    Args:
        box: xyxy (4,) around the photo's garment, if it was marked.
        raw: counts the changes without voting too.
    """
    score = Score(footage.path.name, expected=len(footage.classes))
    votes: dict[str, Counter[str]] = {name: Counter() for name in footage.classes}
    changes = LabelChanges()
    for frame, turn in frames_of(footage):
        start = time.perf_counter()
        garments = analysis(frame, Stats())
        score.milliseconds.append(1000 * (time.perf_counter() - start))
        changes.add(garments, [garment.label.name for garment in garments], frame.time)
        if raw:
            raw.add(frame)
        _count_frame(score, footage, garments)
        for name in footage.classes:
            garment = predicted(name, garments, single=footage.photo)
            # A more general name is neither right nor wrong.
            precise = garment if garment and not is_general(garment, name) else None
            found = class_of(precise) if precise else UNKNOWN
            score.hits += found == name
            votes[name][found] += found != UNKNOWN
        if box is not None and turn is not None:
            score.overlaps.append(_best_iou(garments, moved_box(box, turn)))
    score.right = sum(winner(counts) == name for name, counts in votes.items())
    score.changes, score.track_seconds = changes.count, changes.seconds
    if raw:
        score.raw_changes, score.raw_seconds = raw.changes.count, raw.changes.seconds
    return score


def _count_frame(score: Score, footage: Footage, garments: Sequence[Garment]) -> None:
    labelled = sum(garment.label.known for garment in garments)
    score.frames += 1
    score.chances += len(footage.classes)
    score.rows += len(garments)
    score.unknown += len(garments) - labelled
    if not footage.classes:
        score.free_frames += 1
        score.false_frames += labelled > 0


def _best_iou(garments: Sequence[Garment], box: np.ndarray) -> float:
    if not garments:
        return 0.0
    return float(box_iou(np.stack([g.region.box for g in garments]), box[None]).max())


COLUMNS = {
    "majority_right": "right", "frames_right": "frames", "changes_per_second": "changes/s",
    "raw_changes_per_second": "raw/s",
    "unknown": "unknown", "false_alarms": "false", "box_iou": "box IoU", "box_recall": "found",
    "ms_mean": "ms", "ms_p95": "ms p95",
}  # fmt: skip


def table(scores: Iterable[Score]) -> str:
    """The figures as Markdown, a row for each score."""
    figures = [(score.name, score.figures()) for score in scores]
    rows = [(name, *(found[key] for key in COLUMNS)) for name, found in figures]
    return markdown(("clip", *COLUMNS.values()), rows)


class Scorer:
    """Scores footage with networks that are loaded once; tracks begin anew with each clip.

    Args:
        pipeline: to score.
        every_frame: the same with detection on every frame, to count the changes without voting;
            None to leave them out.
    """

    def __init__(self, pipeline: AnalysisFactory, every_frame: AnalysisFactory | None):
        self._pipeline, self._every_frame = pipeline, every_frame

    def __call__(self, footage: Footage, *, box: np.ndarray | None = None) -> Score:
        """The score of a clip or photo; see `score_footage`."""
        raw = None
        if self._every_frame:
            analysis = self._every_frame.new_analysis()
            raw = RawChanges(analysis, analysis.classifier)
        return score_footage(footage, self._pipeline.new_analysis(), box=box, raw=raw)


def main(argv: list[str] | None = None) -> int:
    arguments = argparse.ArgumentParser(
        prog="python -m realtime.bench.score",
        description="Score the pipeline on labelled clips and photos: fraction of garments that "
        "most frames label right, fraction of frames that do, label changes for each second of a "
        "track, unknown garments, false alarms, box IoU, milliseconds of analysis for each frame.",
    )
    add = arguments.add_argument
    add("--clips", type=Path, metavar="CSV", help="clips with their labels: columns file, labels")
    add("--photos", type=Path, metavar="DIR|CSV",
        help="labelled photos of single garments, each scored as a moving clip")  # fmt: skip
    add("--limit", type=int, metavar="N", help="use N of the photos, evenly spread (default all)")
    add("--boxes", type=Path, metavar="CSV",
        help="boxes marked on the photos: columns file, x1, y1, x2, y2")  # fmt: skip
    add("--raw", action="store_true",
        help="count the label changes without voting too, which takes twice as long")  # fmt: skip
    add("--json", type=Path, metavar="FILE", help="write the figures to FILE as well")
    add_fields(arguments, Recognition)
    args = arguments.parse_args(argv)
    return exit_status(lambda: _run(args))


def _run(args: argparse.Namespace) -> int:
    recognition = recognition_of(args)
    if args.limit is not None and args.limit < 1:
        raise UsageError(f"--limit must be at least 1, got {args.limit}")
    clips = read_clips(args.clips) if args.clips else []
    photos = read_photos(args.photos, limit=args.limit) if args.photos else []
    boxes = read_marked_boxes(args.boxes) if args.boxes else {}
    if not clips and not photos:
        raise UsageError("nothing to score: give --clips CSV or --photos DIR")
    every_frame = replace(recognition, detection_interval="every-frame")
    scorer = Scorer(
        AnalysisFactory(recognition), AnalysisFactory(every_frame) if args.raw else None
    )
    scores = [scorer(clip) for clip in clips]
    if photos:
        one_by_one = (scorer(photo, box=boxes.get(photo.path.name))
                      for photo in tqdm(photos, "photos", disable=None))  # fmt: skip
        scores.append(summed(Score(f"{len(photos)} photos"), one_by_one))
    scores.append(summed(Score("all"), scores))
    print(table(scores))
    if args.json:
        write_figures(args.json, {score.name: score.figures() for score in scores})
    return 0


if __name__ == "__main__":
    sys.exit(main())
