"""Fits a parser's postprocessing: `python -m training.parsing.fit_postprocessing`.

Hill climbing by the F1 of the garments found in validation photos: from the neutral settings, the
best change of a single field is made until none improves.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from preprocessing.datasets.masked_photos import masked_photos
from preprocessing.errors import DataError, exit_status
from preprocessing.images.class_maps import CLASSES, Postprocessing, garments
from preprocessing.labels import LAYERS
from training.inference.parser import POSTPROCESSING, openvino_parser
from training.inference.weights import locate_for, verified
from training.parsing.evaluate import ParsingScores, count_garments

SMOOTHING = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
JOINING = (1, 3, 5, 7, 9, 11, 15)
ABSORPTION = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)
LAYER_THRESHOLDS = (0.6, 0.7, 0.8, 0.85, 0.9)
MIN_GAIN = 0.001  # of F1, from a change


@dataclass(frozen=True, eq=False)
class ParsedExample:
    """A photo's prediction and truth.

    Attributes:
        probabilities: float32 (classes, h, w).
        truth: classes uint8 (H, W).
    """

    probabilities: np.ndarray
    truth: np.ndarray


def f1(examples: Sequence[ParsedExample], settings: Postprocessing) -> float:
    """F1 of the garments found with the right box and layer."""
    count = len(CLASSES)
    scores = ParsingScores(np.zeros((count, count), np.int64), np.zeros(count, np.int64))
    for one in examples:
        height, width = one.truth.shape
        found = garments(one.probabilities, width=width, height=height, settings=settings)
        count_garments(scores, found, one.truth)
    return float(scores.summary()["garments_f1"])


def fit(examples: Sequence[ParsedExample]) -> Postprocessing:
    """The settings that hill climbing finds from the neutral ones."""
    best, best_f1 = Postprocessing(), f1(examples, Postprocessing())
    while True:
        print(f"F1 {best_f1:.4f} with {best}")
        changed = list(_changes(best))
        scores = [f1(examples, one) for one in changed]
        if max(scores) < best_f1 + MIN_GAIN:
            return best
        best_f1 = max(scores)
        best = changed[scores.index(best_f1)]


def _changes(settings: Postprocessing) -> Iterator[Postprocessing]:
    """The settings with another value of a single field."""
    yield from (replace(settings, smoothing=value) for value in SMOOTHING)
    yield from (replace(settings, joining=value) for value in JOINING)
    yield from (replace(settings, absorption=value) for value in ABSORPTION)
    yield from (replace(settings, threshold=value) for value in THRESHOLDS)
    for layer in LAYERS:
        for value in LAYER_THRESHOLDS:
            thresholds = {**settings.layer_thresholds, layer: value}
            yield replace(settings, layer_thresholds=thresholds)


def main(argv: list[str] | None = None) -> int:
    arguments = argparse.ArgumentParser(
        prog="python -m training.parsing.fit_postprocessing",
        description="Fit the postprocessing of a parser's class probabilities on validation "
        "photos, and write it beside the parser's weights.",
    )
    arguments.add_argument(
        "--data", type=Path, required=True, metavar="DIR",
        help="photos of people: photos/, masks/ and labels.csv",
    )  # fmt: skip
    arguments.add_argument(
        "--model", default="parser", help="parser, by name or weight file (default parser)"
    )
    args = arguments.parse_args(argv)
    return exit_status(lambda: _run(args.data, args.model))


def _run(folder: Path, model: str) -> int:
    stem, info = locate_for("parse", model)
    verified(stem.with_suffix(".onnx"))
    photos = masked_photos(folder)["validation"]
    if not photos:
        raise DataError(f"{folder} has no photos of the validation split: give more photos")
    parse, examples = openvino_parser(stem, info), []
    for photo in tqdm(photos, "photos", disable=None):
        image, truth = photo.read()
        examples.append(ParsedExample(parse(image), truth))
    origin = f"training.parsing.fit_postprocessing: F1 of garments, {len(photos)} validation photos"
    print(f"wrote {POSTPROCESSING.write(fit(examples), stem, origin=origin)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
