"""Fits how a classifier and a locator are fused: `python -m realtime.fitting.fusion_weights`.

Both run on labelled validation photos; the exponents of their probabilities under which the true
classes are likeliest are written beside the classifier's weights.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from preprocessing.datasets.parsed_people import class_regions, read_mask_labels, read_parsed_people
from preprocessing.datasets.samples_and_splits import read_csv
from preprocessing.datasets.yolo_layout import SPLITS, read_boxes, read_layout
from preprocessing.errors import DataError, UsageError, exit_status
from preprocessing.images.pictures import read_picture
from preprocessing.images.regions import box_iou
from realtime.analysis.classifiers import FusedClassifier, load_classifier, load_fused
from realtime.analysis.locators import LOCATORS, Locator, LocatorOptions
from realtime.settings import DEFAULT_MODEL
from training.inference.label_fusion import FUSION, FusionWeights, log_linear_pool
from training.inference.weights import locate

MATCH_IOU = 0.5  # from which a region is a labelled garment
GRID = np.linspace(0, 3, 61)  # of exponents


@dataclass(frozen=True, eq=False)
class LabelledGarment:
    """A garment in a photo: its class, and its box float32 (4,); None if it is the only one."""

    label: str
    box: np.ndarray | None = None


Photos = Iterable[tuple[Path, list[LabelledGarment]]]


@dataclass(frozen=True, eq=False)
class Observation:
    """The evidence about one garment, logs float32 (classes,), and the index of its true class."""

    classifier: np.ndarray
    locator: np.ndarray
    limbs: np.ndarray
    truth: int
    worn: bool


def single_garments(index: Path) -> Photos:
    """Validation photos of a CSV with one garment each.

    Raises:
        DataError: there are none.
    """
    samples = [sample for sample in read_csv(index) if sample.split == "validation"]
    if not samples:
        raise DataError(f"{index} has no photos of the validation split: see "
                        "preprocessing.builders.photo_dataset")  # fmt: skip
    return [(sample.path, [LabelledGarment(sample.label)]) for sample in samples]


def worn_garments(folder: Path) -> Photos:
    """Validation photos of people with masks.

    Raises:
        DataError: no labels.csv, or a mask is missing.
    """
    names = read_mask_labels(folder)
    for photo in read_parsed_people(folder):
        if photo.split == "validation":
            regions = class_regions(photo.mask(), names)
            yield photo.path, [LabelledGarment(label, region.box) for _, label, region in regions]


def boxed_garments(data: Path) -> Photos:
    """Validation images of a data.yaml with boxes.

    Raises:
        DataError: there are none, or a label file is damaged.
    """
    layout = read_layout(data)
    for path in layout.images(SPLITS["validation"]):
        height, width = read_picture(path).shape[:2]
        boxes = read_boxes(path, classes=len(layout.names))
        scale = np.array([width, height] * 2, np.float32)
        yield (
            path,
            [
                LabelledGarment(layout.names[label], box * scale)
                for label, box in zip(boxes.labels, boxes.boxes, strict=True)
            ],
        )


def observations(photos: Photos, locator: Locator, fused: FusedClassifier) -> Iterator[Observation]:
    """The evidence about the labelled garments that the locator finds.

    The only garment of a photo is the locator's first region.
    """
    for path, garments in photos:
        image = read_picture(path)
        regions = locator(image)
        for garment in garments:
            if garment.label not in fused.info.classes or not regions:
                continue
            region = regions[0]
            if garment.box is not None:
                iou = box_iou(np.stack([r.box for r in regions]), garment.box[None])[:, 0]
                region = regions[int(iou.argmax())]
                if iou.max() < MATCH_IOU:
                    continue
            evidence = fused.evidence(image, [region])
            yield Observation(
                evidence.classifier[0],
                evidence.locator[0],
                evidence.limbs[0],
                fused.info.classes.index(garment.label),
                worn=region.bare is not None,
            )


@dataclass(frozen=True, eq=False)
class Stacked:
    """Observations as arrays (N, classes), and the true classes (N,)."""

    classifier: np.ndarray
    locator: np.ndarray
    limbs: np.ndarray
    truth: np.ndarray

    @classmethod
    def of(cls, found: Sequence[Observation]) -> "Stacked":
        return cls(
            np.stack([one.classifier for one in found]),
            np.stack([one.locator for one in found]),
            np.stack([one.limbs for one in found]),
            np.array([one.truth for one in found]),
        )

    def evaluate(self, powers: tuple[float, float]) -> tuple[float, float]:
        """Mean negative log-likelihood of the true classes, and accuracy."""
        probabilities = log_linear_pool(
            self.classifier, self.locator, powers=powers, log_likelihood=self.limbs
        )
        likelihood = probabilities[np.arange(len(self.truth)), self.truth]
        right = probabilities.argmax(axis=1) == self.truth
        return float(-np.log(likelihood + 1e-9).mean()), float(right.mean())


def fit(found: Sequence[Observation]) -> tuple[float, float]:
    """The exponents of least log loss, by grid search."""
    stacked = Stacked.of(found)
    tried = [(float(a), float(b)) for a in GRID for b in GRID]
    return min(tried, key=lambda powers: stacked.evaluate(powers)[0])


def fit_weights(found: Sequence[Observation]) -> FusionWeights:
    """The weights of lying and of worn garments; the same for both if there are but the former.

    Prints how well the neutral and the fitted ones label the observations.
    """
    weights = FusionWeights()
    for kind in ("lying", "worn"):
        members = [one for one in found if one.worn == (kind == "worn")]
        powers = fit(members) if members else weights.lying
        weights = replace(weights, worn=powers) if kind == "worn" else FusionWeights(powers, powers)
        for title, tried in (("neutral", FusionWeights().lying), ("fitted", powers)):
            if members:
                loss, accuracy = Stacked.of(members).evaluate(tried)
                print(f"{kind}, {len(members)} garments, {title} {tried[0]:.2f} and "
                      f"{tried[1]:.2f}: log loss {loss:.3f}, {accuracy:.1%} right")  # fmt: skip
    return weights


def main(argv: list[str] | None = None) -> int:
    arguments = argparse.ArgumentParser(
        prog="python -m realtime.fitting.fusion_weights",
        description="Fit the weights with which a classifier's and a locator's class probabilities "
        "are fused, on labelled validation photos, and write them beside the classifier's weights.",
    )
    add = arguments.add_argument
    add("--model", default=DEFAULT_MODEL, help=f"classifier (default {DEFAULT_MODEL})")
    scored = [name for name, row in LOCATORS.items() if row.scored]
    add("--locate", default="parser", choices=scored, help="locator (default parser)")
    add("--photos", type=Path, metavar="CSV", help="photos of single garments: the index.csv of "
        "preprocessing.builders.photo_dataset")  # fmt: skip
    add("--parsed", type=Path, metavar="DIR", help="photos of people: photos/, masks/, labels.csv")
    add("--boxes", type=Path, metavar="YAML", help="images with boxes: a data.yaml")
    args = arguments.parse_args(argv)
    return exit_status(
        lambda: _run(args.model, args.locate, _photos(args.photos, args.parsed, args.boxes))
    )


def _photos(single: Path | None, worn: Path | None, boxed: Path | None) -> Photos:
    """The photos of all sources that are given.

    Raises:
        UsageError: there is none.
    """
    if not (single or worn or boxed):
        raise UsageError("nothing to fit to: give --photos CSV, --parsed DIR or --boxes YAML")
    found: list[tuple[Path, list[LabelledGarment]]] = []
    found += single_garments(single) if single else []
    found += worn_garments(worn) if worn else []
    found += boxed_garments(boxed) if boxed else []
    return found


def _run(model: str, locate_by: str, photos: Photos) -> int:
    row = LOCATORS[locate_by]
    locator = row.build(LocatorOptions(class_agnostic=row.classifier == model))
    assert locator.info is not None  # of every locator with scores
    classifier = load_classifier(model, engine="openvino", device="cpu", threads=1)
    fused = load_fused(
        classifier, locator.info, model=model, locator=locate_by, weights=FUSION.neutral
    )
    found = list(observations(tqdm(photos, "photos", disable=None), locator, fused))
    if not found:
        raise DataError(f"{locate_by} finds none of the labelled garments")
    stems = locate(model)[0], locate(locate_by)[0]
    origin = f"realtime.fitting.fusion_weights: {len(found)} garments in validation photos"
    print(f"wrote {FUSION.write(fit_weights(found), *stems, origin=origin)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
