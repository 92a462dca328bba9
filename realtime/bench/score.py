"""Scores the whole pipeline on labelled footage: `python -m realtime.bench.score --clips CSV`.

Clips pass the same stages as in the app, without drawing; a photo becomes a short clip with a
simulated camera motion. Prints a row for each clip, one for the photos and one for all.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from preprocessing.errors import UsageError, exit_status
from preprocessing.flags import add_fields
from realtime.analysis.frame_analysis import FrameAnalysis
from realtime.analysis.tracks import TrackManager
from realtime.assemble import check_recognition, make_analysis
from realtime.bench.footage import Footage, read_clips, read_marked_boxes, read_photos
from realtime.bench.footage_score import RawChanges, Score, score_footage, table
from realtime.settings import Recognition, recognition_of


class Scorer:
    """Scores footage with the analyses that settings choose.

    Args:
        raw: count the changes without voting too.
    """

    def __init__(self, recognition: Recognition, *, raw: bool):
        self._recognition, self._raw = recognition, raw

    def clip(self, clip: Footage) -> Score:
        """The score of one clip."""
        return score_footage(clip, self._analysis(), raw=self._new_raw())

    def photos(self, photos: Sequence[Footage], boxes: dict[str, np.ndarray]) -> Score:
        """All photos as one score; networks are shared, tracks are not.

        Args:
            boxes: by the photo's file name, where they were marked.
        """
        total, analysis = Score(f"{len(photos)} photos"), self._analysis()
        raw = self._every_frame() if self._raw else None
        for photo in tqdm(photos, "photos", disable=None):
            total += score_footage(
                photo,
                self._with_new_tracks(analysis),
                box=boxes.get(photo.path.name),
                raw=raw and RawChanges(self._with_new_tracks(raw), raw.classifier),
            )
        return total

    def _analysis(self) -> FrameAnalysis:
        return make_analysis(self._recognition)

    def _every_frame(self) -> FrameAnalysis:
        return make_analysis(replace(self._recognition, detection_interval="every-frame"))

    def _new_raw(self) -> RawChanges | None:
        if not self._raw:
            return None
        analysis = self._every_frame()
        return RawChanges(analysis, analysis.classifier)

    def _with_new_tracks(self, analysis: FrameAnalysis) -> FrameAnalysis:
        classes = analysis.classifier.info.classes
        tracks = TrackManager(classes, threshold=self._recognition.label_threshold)
        return replace(analysis, tracks=tracks)


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
    check_recognition(recognition)
    if args.limit is not None and args.limit < 1:
        raise UsageError(f"--limit must be at least 1, got {args.limit}")
    clips = read_clips(args.clips) if args.clips else []
    photos = read_photos(args.photos, limit=args.limit) if args.photos else []
    boxes = read_marked_boxes(args.boxes) if args.boxes else {}
    if not clips and not photos:
        raise UsageError("nothing to score: give --clips CSV or --photos DIR")
    scorer = Scorer(recognition, raw=args.raw)
    scores = [scorer.clip(clip) for clip in clips]
    if photos:
        scores.append(scorer.photos(photos, boxes))
    total = Score("all")
    for score in scores:
        total += score
    scores.append(total)
    print(table(scores))
    if args.json:
        figures = {score.name: score.figures() for score in scores}
        args.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
