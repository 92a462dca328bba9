"""Scores the whole pipeline on real footage: `python -m realtime.bench.score --clips index.csv`.

Labelled clips run through the same stages as in the app, without drawing; a labelled photo becomes
a short clip in which the camera moves. A row a clip, and one for all.
"""

import argparse
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from preprocessing.command import exit_status
from preprocessing.errors import UsageError
from preprocessing.images.regions import box_iou
from preprocessing.labels import BODY_PART, CLASS_OF
from realtime.analysis.frame_analysis import FrameAnalysis
from realtime.analysis.tracks import TrackManager
from realtime.assemble import check_recognition, make_analysis
from realtime.bench.footage import (
    Clip,
    frames_of,
    moved_box,
    read_boxes,
    read_clips,
    read_photos,
)
from realtime.flags import add_recognition_flags, recognition_of
from realtime.runtime.stats import Stats
from realtime.settings import Recognition
from realtime.types import UNKNOWN, Garment


@dataclass
class Score:
    """Counts of one clip, or of all together."""

    name: str
    frames: int = 0
    expected: int = 0  # garments that the clips show
    right: int = 0  # of those, named right by the majority of frames
    chances: int = 0  # garments times frames
    hits: int = 0  # of those, named right in the frame
    rows: int = 0  # garments reported
    unknown: int = 0
    changes: int = 0  # of a track's shown label
    raw_changes: int = 0  # of the best class of each frame alone, with regions of its own
    track_seconds: float = 0.0
    raw_seconds: float = 0.0  # of those tracks
    free_frames: int = 0  # of garment-free footage
    false_frames: int = 0  # of those, with a named garment
    overlaps: list[float] = field(default_factory=list)  # IoU with the marked box
    milliseconds: list[float] = field(default_factory=list)  # of analysis a frame

    def __iadd__(self, other: "Score") -> "Score":
        for name, value in vars(other).items():
            if name != "name":
                setattr(self, name, getattr(self, name) + value)
        return self

    def figures(self) -> dict[str, float | int | None]:
        """The shares and rates that the counts mean; None where nothing was counted."""

        def share(part: float, whole: float) -> float | None:
            return part / whole if whole else None

        times = self.milliseconds
        return {
            "frames": self.frames,
            "majority_right": share(self.right, self.expected),
            "frames_right": share(self.hits, self.chances),
            "changes_per_second": share(self.changes, self.track_seconds),
            "raw_changes_per_second": share(self.raw_changes, self.raw_seconds),
            "unknown": share(self.unknown, self.rows),
            "false_alarms": share(self.false_frames, self.free_frames),
            "box_iou": float(np.mean(self.overlaps)) if self.overlaps else None,
            "box_recall": share(sum(v >= 0.5 for v in self.overlaps), len(self.overlaps)),
            "ms_mean": float(np.mean(times)) if times else None,
            "ms_p95": float(np.percentile(times, 95)) if times else None,
        }


class _Names:
    """The names of tracks over time: how often one changed, and how long the tracks were seen."""

    def __init__(self) -> None:
        self.changes = 0
        self._last: dict[int, str] = {}
        self._seen: dict[int, list[float]] = defaultdict(list)

    def add(self, garments: Sequence[Garment], names: Sequence[str], time: float) -> None:
        """The names that a frame has for garments, at a time in seconds."""
        for garment, name in zip(garments, names, strict=True):
            self.changes += self._last.get(garment.track, name) != name
            self._last[garment.track] = name
            self._seen[garment.track].append(time)

    @property
    def seconds(self) -> float:
        """All tracks' time from their first to their last frame."""
        return sum(times[-1] - times[0] for times in self._seen.values())


def score_clip(
    clip: Clip,
    analysis: FrameAnalysis,
    *,
    box: np.ndarray | None = None,
    alone: FrameAnalysis | None = None,
) -> Score:
    """Run the pipeline over a clip.

    Args:
        box: xyxy around the photo's garment, where it was marked.
        alone: one that looks at every frame, whose best class of each the changes are held against.
    """
    score = Score(clip.path.name, expected=len(clip.kinds))
    votes = {kind: Counter() for kind in clip.kinds}
    shown, raw = _Names(), _Names()
    for frame, turn in frames_of(clip):
        start = time.perf_counter()
        garments = analysis(frame, Stats())
        score.milliseconds.append(1000 * (time.perf_counter() - start))
        score.frames += 1
        names = [garment.label.name for garment in garments]
        score.rows += len(names)
        score.unknown += names.count(UNKNOWN)
        shown.add(garments, names, frame.time)
        if alone:
            found = alone(frame, Stats())
            shares = alone.classifier(frame.image, [garment.region for garment in found])
            raw.add(found, [str(best) for best in shares.argmax(axis=1)], frame.time)
        if not clip.kinds:
            score.free_frames += 1
            score.false_frames += any(name != UNKNOWN for name in names)
        for kind in clip.kinds:
            found = _said(kind, garments, names, single=clip.photo)
            score.chances += 1
            score.hits += found == kind
            votes[kind][found] += found != UNKNOWN
        if box is not None and turn is not None:
            score.overlaps.append(_overlap(garments, moved_box(box, turn)))
    score.right = sum(bool(c) and c.most_common(1)[0] == (kind, c[kind]) and c[kind] > 0
                      for kind, c in votes.items())  # fmt: skip
    score.changes, score.track_seconds = shown.changes, shown.seconds
    score.raw_changes, score.raw_seconds = raw.changes, raw.seconds
    return score


def _said(kind: str, garments: Sequence[Garment], names: Sequence[str], *, single: bool) -> str:
    """What the frame says of a garment: the largest of its layer, or of all where it is alone."""
    layer, best, said = BODY_PART.get(kind, kind), 0.0, UNKNOWN
    for garment, name in zip(garments, names, strict=True):
        found = CLASS_OF.get(name, name)
        size = float(np.prod(garment.region.box[2:] - garment.region.box[:2]))
        if (single or BODY_PART.get(found, found) == layer) and size > best:
            best, said = size, found
    return said


def _overlap(garments: Sequence[Garment], box: np.ndarray) -> float:
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
    """The figures as Markdown, a row a score."""
    lines = ["| clip | " + " | ".join(COLUMNS.values()) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for score in scores:
        figures = score.figures()
        cells = ["" if figures[key] is None else f"{figures[key]:.2f}" for key in COLUMNS]
        lines.append(f"| {score.name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m realtime.bench.score",
        description="Score the pipeline on labelled clips and photos: share of garments named "
        "right by most frames, of frames right, label changes a track-second, unknown, false "
        "alarms, box overlap, ms of analysis a frame.",
    )
    add = parser.add_argument
    add("--clips", type=Path, metavar="CSV", help="file,labels of video clips")
    add("--photos", type=Path, metavar="DIR|CSV", help="labelled photos, each a moving clip")
    add("--limit", type=int, metavar="N", help="only N of the photos, evenly spread")
    add("--boxes", type=Path, metavar="CSV", help="file,x1,y1,x2,y2 marked on the photos")
    add("--raw", action="store_true", help="count what each frame alone would change (slower)")
    add("--json", type=Path, metavar="FILE", help="write the figures to FILE too")
    add_recognition_flags(parser)
    args = parser.parse_args(argv)
    return exit_status(lambda: _run(args))


def _run(args: argparse.Namespace) -> int:
    recognition = recognition_of(args)
    check_recognition(recognition)
    # Counts what each frame alone would change, if asked for.
    alone = replace(recognition, detection_interval="every-frame") if args.raw else None
    if args.limit is not None and args.limit < 1:
        raise UsageError(f"--limit must be at least 1, got {args.limit}")
    clips = read_clips(args.clips) if args.clips else []
    photos = read_photos(args.photos, limit=args.limit) if args.photos else []
    boxes = read_boxes(args.boxes) if args.boxes else {}
    if not clips and not photos:
        raise UsageError("nothing to score: give --clips CSV or --photos DIR")
    scores = [
        score_clip(clip, make_analysis(recognition), alone=alone and make_analysis(alone))
        for clip in clips
    ]
    if photos:
        scores.append(_score_photos(photos, boxes, recognition, alone=alone))
    total = Score("all")
    for score in scores:
        total += score
    print(table([*scores, total]))
    if args.json:
        rows = {score.name: score.figures() for score in [*scores, total]}
        args.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


def _score_photos(
    photos: Sequence[Clip],
    boxes: dict[str, np.ndarray],
    recognition: Recognition,
    *,
    alone: Recognition | None,
) -> Score:
    """All photos as one score; each has tracks of its own."""
    analysis, total = make_analysis(recognition), Score(f"{len(photos)} photos")
    each_alone = make_analysis(alone) if alone else None

    def fresh(one: FrameAnalysis) -> FrameAnalysis:
        tracks = TrackManager(one.classifier.info.classes, threshold=recognition.label_threshold)
        return replace(one, tracks=tracks)

    for photo in tqdm(photos, "photos", disable=None):
        box = boxes.get(photo.path.name)
        total += score_clip(photo, fresh(analysis), box=box, alone=each_alone and fresh(each_alone))
    return total


if __name__ == "__main__":
    sys.exit(main())
