"""Weighs what classifier and parser say of a garment: `python -m realtime.fitting.fusion_weights`.

Runs both on validation photos of lying and of worn garments, and prints the powers of their
opinions that make the true names likeliest. They stand in `realtime.analysis.fusion`.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from preprocessing.builders.garment_crops import named_regions
from preprocessing.builders.layer_boxes import (
    TEST_FROM,
    VALIDATION_FROM,
    masked_photos,
    read_names,
)
from preprocessing.command import exit_status
from preprocessing.datasets.samples import read_csv
from preprocessing.errors import DataError
from preprocessing.images.pictures import read_picture
from preprocessing.images.regions import box_iou
from preprocessing.labels import PHOTO_LAYER
from realtime.analysis import fusion
from realtime.analysis.classifier import load_classifier
from realtime.analysis.fusion import JointNames
from realtime.analysis.locators import Locator
from realtime.analysis.parser_locator import ParserLocator, load_parser
from realtime.settings import DEFAULT_MODEL
from training.inference.probabilities import softmax

MATCH = 0.5  # IoU from which a found region is a marked garment
POWERS = np.linspace(0, 3, 61)  # that are tried


@dataclass(frozen=True, eq=False)
class Garment:
    """One garment as it was found: logs (classes,) of what is said of it, and the true class."""

    opinion: np.ndarray
    layers: np.ndarray
    sleeves: np.ndarray
    truth: int
    worn: bool


def lying(source: Path) -> Iterator[tuple[np.ndarray, list[tuple[str, np.ndarray | None]]]]:
    """Validation photos of single garments, each with its label; the box is unknown.

    Raises:
        DataError: the CSV has none.
    """
    samples = [s for s in read_csv(source) if s.split == "validation" and s.label in PHOTO_LAYER]
    if not samples:
        raise DataError(f"{source} has no photos of its validation part: see build_dataset")
    for sample in samples:
        yield read_picture(sample.path), [(sample.label, None)]


def worn(folder: Path) -> Iterator[tuple[np.ndarray, list[tuple[str, np.ndarray | None]]]]:
    """The parsed photos for validation, each with the names and boxes of its garments.

    Raises:
        DataError: no labels.csv, or a mask is missing.
    """
    names = read_names(folder)
    for number, path, mask in masked_photos(folder):
        if not VALIDATION_FROM <= number < TEST_FROM:
            continue
        marked = [(label, region.box) for _, label, region in named_regions(mask, names)]
        yield read_picture(path), marked


def garments(pictures, locate: Locator, names: JointNames) -> list[Garment]:
    """What is said of the marked garments that are found; a lone one is the largest region."""
    found = []
    for image, marked in pictures:
        regions = locate(image)
        for label, box in marked:
            if label not in names.info.classes or not regions:
                continue
            region = regions[0]
            if box is not None:
                overlap = box_iou(np.stack([r.box for r in regions]), box[None])[:, 0]
                region = regions[int(overlap.argmax())]
                if overlap.max() < MATCH:
                    continue
            said = (row[0] for row in names.evidence(image, [region]))
            truth = names.info.classes.index(label)
            found.append(Garment(*said, truth, worn=region.bare is not None))
    return found


def judge(found: Sequence[Garment], powers: tuple[float, float]) -> tuple[float, float]:
    """Mean negative log-likelihood of the true names, and the share of right ones."""
    opinion, layers, sleeves = (
        np.stack([getattr(g, name) for g in found]) for name in ("opinion", "layers", "sleeves")
    )
    chances = softmax(powers[0] * opinion + powers[1] * layers + sleeves)
    truth = np.array([g.truth for g in found])
    given = chances[np.arange(len(found)), truth]
    return float(-np.log(given + 1e-9).mean()), float((chances.argmax(axis=1) == truth).mean())


def fit(found: Sequence[Garment]) -> tuple[float, float]:
    """The powers under which the true names are likeliest, by trying them all."""
    tried = [(float(a), float(b)) for a in POWERS for b in POWERS]
    return min(tried, key=lambda powers: judge(found, powers)[0])


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m realtime.fitting.fusion_weights",
        description="Fit the powers of the classifier's and the parser's opinions on validation "
        "photos.",
    )
    add = parser.add_argument
    add("--photos", type=Path, required=True, metavar="CSV", help="index.csv of build_dataset")
    add("--parsed", type=Path, required=True, metavar="DIR", help="photos/, masks/, labels.csv")
    add("--model", default=DEFAULT_MODEL, help=f"the classifier (default {DEFAULT_MODEL})")
    args = parser.parse_args(argv)
    return exit_status(lambda: _run(args))


def _run(args: argparse.Namespace) -> int:
    frame_parser = load_parser("parser", threads=1)
    locate = ParserLocator(frame_parser)
    classify = load_classifier(args.model, engine="openvino", device="cpu", threads=1)
    names = JointNames(locate.info, classify)
    pictures = [*lying(args.photos), *worn(args.parsed)]
    found = garments(tqdm(pictures, "photos", disable=None), locate, names)
    for kind, now in (("lying", fusion.FLAT), ("worn", fusion.WORN)):
        members = [g for g in found if g.worn == (kind == "worn")]
        if not members:
            raise DataError(f"no {kind} garment was found")
        best = fit(members)
        for what, powers in (("now", now), ("best", best)):
            loss, right = judge(members, powers)
            print(f"{kind}, n {len(members)}, {what}: powers {powers[0]:.2f} and {powers[1]:.2f}, "
                  f"log loss {loss:.3f}, {right:.1%} right")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
