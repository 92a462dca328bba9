"""Labelled validation photos, and the garments in them that a locator finds: to fit numbers to."""

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from preprocessing.datasets.parsed_people import class_regions, read_mask_labels, read_parsed_people
from preprocessing.datasets.samples_and_splits import read_csv
from preprocessing.datasets.yolo_layout import SPLITS, read_boxes, read_layout
from preprocessing.errors import DataError, UsageError
from preprocessing.images.pictures import picture_paths, read_picture
from preprocessing.images.regions import Region, box_iou
from preprocessing.labels import BOX_CLASS, BOX_LAYER, IGNORED, OTHER, PHOTO_CLASS
from realtime.analysis.classifiers import FusedClassifier, load_classifier, load_fused
from realtime.analysis.locators import LOCATORS, Locator, LocatorOptions
from realtime.settings import DEFAULT_MODEL
from training.inference.label_fusion import FusionWeights
from training.inference.name_tree import NAMES
from training.inference.pose import PoseEstimator, load_poses
from training.inference.weights import locate

MATCH_IOU = 0.5  # from which a region is a labelled garment


@dataclass(frozen=True, eq=False)
class LabelledGarment:
    """A garment in a photo: its label, and its box float32 (4,); None if it is the only one."""

    label: str
    box: np.ndarray | None = None


# Pictures with all their garments; one without garments is background.
Photos = Iterable[tuple[Path, list[LabelledGarment]]]


def single_garments(index: Path) -> Photos:
    """Validation photos of a CSV with one garment each.

    Raises:
        DataError: there are none.
    """
    samples = [sample for sample in read_csv(index) if sample.split == "validation"]
    if not samples:
        raise DataError(f"{index} has no photos of the validation split: see "
                        "preprocessing.builders.photo_dataset")  # fmt: skip
    return [
        (sample.path, [LabelledGarment(PHOTO_CLASS.get(sample.label, sample.label))])
        for sample in samples
    ]


def worn_garments(folder: Path) -> Photos:
    """Validation photos of people with masks.

    Raises:
        DataError: no labels.csv, or a mask is missing.
    """
    names = read_mask_labels(folder)
    for photo in read_parsed_people(folder):
        if photo.split == "validation":
            regions = class_regions(photo.mask(), names)
            found = [LabelledGarment(label, region.box) for _, label, region in regions]
            if found:  # others wear what means no class clearly
                yield photo.path, found


def boxed_garments(data: Path) -> Photos:
    """Validation images of a data.yaml with boxes.

    A label that means several classes ("shirt" of people with boxes) becomes its layer ("top").

    Raises:
        DataError: there are none, or a label file is damaged.
    """
    layout = read_layout(data)
    for path in layout.images(SPLITS["validation"]):
        height, width = read_picture(path).shape[:2]
        boxes = read_boxes(path, classes=len(layout.names))
        scale = np.array([width, height] * 2, np.float32)
        found = [
            LabelledGarment(name, box * scale)
            for label, box in zip(boxes.labels, boxes.boxes, strict=True)
            if (name := _meaning(layout.names[label])) != IGNORED
        ]
        if found or not len(boxes.labels):
            yield path, found


def _meaning(label: str) -> str:
    return BOX_CLASS.get(label) or BOX_LAYER.get(label, label)


@dataclass(frozen=True, eq=False)
class FoundGarment:
    """A labelled garment in an image BGR (H, W, 3), where the locator finds it."""

    image: np.ndarray
    region: Region
    label: str


def found_garments(photos: Photos, locator: Locator) -> Iterator[FoundGarment]:
    """The labelled garments that the locator finds; the only one of a photo is its first region.

    All regions in a picture without garments are OTHER.
    """
    for path, garments in photos:
        image = read_picture(path)
        regions = locator(image)
        if not garments:
            yield from (FoundGarment(image, region, OTHER) for region in regions)
        for garment in garments if regions else ():
            region = regions[0]
            if garment.box is not None:
                iou = box_iou(np.stack([r.box for r in regions]), garment.box[None])[:, 0]
                region = regions[int(iou.argmax())]
                if iou.max() < MATCH_IOU:
                    continue
            yield FoundGarment(image, region, garment.label)


@dataclass(frozen=True, eq=False)
class Pair:
    """A classifier fused with a locator.

    Attributes:
        stems: paths of the two's weight files, without suffix.
        poses: of worn garments, as in the app; None where not installed.
    """

    locator: Locator
    fused: FusedClassifier
    stems: tuple[Path, Path]
    poses: PoseEstimator | None = None

    @classmethod
    def load(cls, model: str, locate_by: str, *, weights: FusionWeights | None = None) -> "Pair":
        """A committed classifier or weight file with a row of LOCATORS.

        Args:
            weights: in place of the fitted ones.

        Raises:
            UsageError: a class of the classifier belongs to none of the locator's.
            WeightsError: a file is missing or damaged.
        """
        row = LOCATORS[locate_by]
        poses = load_poses() if row.worn else None
        locator = row.build(LocatorOptions(class_agnostic=row.classifier == model, poses=poses))
        assert locator.info is not None  # of every locator with scores
        network = locator.info.name  # that of several locators
        classifier = load_classifier(model, engine="openvino", device="cpu", threads=1)
        fused = load_fused(
            classifier, locator.info, model=model, locator=network, weights=weights,
            calibration=NAMES.neutral,
        )  # fmt: skip
        return cls(locator, fused, (locate(model)[0], locate(network)[0]), poses)


def add_flags(arguments: argparse.ArgumentParser) -> None:
    """Add the flags of the two networks and of the photos."""
    add = arguments.add_argument
    add("--model", default=DEFAULT_MODEL, help=f"classifier (default {DEFAULT_MODEL})")
    scored = [name for name, row in LOCATORS.items() if row.scored]
    add("--locate", default="parser", choices=scored, help="locator (default parser)")
    add("--photos", type=Path, metavar="CSV", help="photos of single garments: the index.csv of "
        "preprocessing.builders.photo_dataset")  # fmt: skip
    add("--parsed", type=Path, metavar="DIR", help="photos of people: photos/, masks/, labels.csv")
    add("--boxes", type=Path, metavar="YAML", help="images with boxes: a data.yaml")
    add("--empty", type=Path, metavar="DIR", help="pictures without garments")


def photos_of(values: argparse.Namespace) -> Photos:
    """The photos of all sources that the flags of `add_flags` give.

    Raises:
        UsageError: there is none.
    """
    if not (values.photos or values.parsed or values.boxes):
        raise UsageError("nothing to fit to: give --photos CSV, --parsed DIR or --boxes YAML, and "
                         "perhaps --empty DIR")  # fmt: skip
    found: list[tuple[Path, list[LabelledGarment]]] = []
    found += single_garments(values.photos) if values.photos else []
    found += worn_garments(values.parsed) if values.parsed else []
    found += boxed_garments(values.boxes) if values.boxes else []
    found += [(path, []) for path in picture_paths(values.empty)] if values.empty else []
    return found
