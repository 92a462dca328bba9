"""Labelled footage to score the pipeline on: clips, and photos with a simulated camera motion."""

import csv
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from preprocessing.datasets.samples_and_splits import read_samples
from preprocessing.errors import DataError
from preprocessing.images.picture_kinds import SUFFIXES, is_picture
from preprocessing.images.pictures import frame_count, read_picture
from preprocessing.labels import CLASS_OF, GARMENT_CLASSES
from realtime.batch.inputs import VIDEO_SUFFIXES
from realtime.sources.open_source import open_source
from realtime.types import Frame

PHOTO_FRAMES = 25
PHOTO_RATE = 25  # frames a second
PAN, ZOOM, TURN = 0.03, 0.06, 2.0  # of the photo's side; of its size; degrees
MAX_FRAMES = 400  # scored of a clip, from its start
GROUND_INTERVAL = 100  # frames


@dataclass(frozen=True)
class Footage:
    """A clip, a folder of its pictures, or a photo to be moved.

    Attributes:
        classes: of the garments in it, names of GARMENT_CLASSES; empty for footage without any.
    """

    path: Path
    classes: tuple[str, ...]
    photo: bool = False


def read_clips(index: Path) -> list[Footage]:
    """The clips of a CSV with columns `file` and `labels` ("Pullover|Trouser"; empty for none).

    A folder of pictures counts as a clip.

    Raises:
        DataError: no such file, no such column, an unknown label or a missing clip.
    """
    try:
        with index.open(newline="", encoding="utf-8") as file:
            rows = [(row["file"], row["labels"]) for row in csv.DictReader(file)]
    except (OSError, KeyError) as error:
        raise DataError(f"cannot read {index} ({error}): wanted columns file and labels") from error
    return [_clip(index, name, labels or "") for name, labels in rows]


def _clip(index: Path, name: str, labels: str) -> Footage:
    names = [label for label in labels.split("|") if label]
    unknown = [label for label in names if label not in CLASS_OF]
    path = index.parent / name
    if unknown:
        raise DataError(f"{index} has the unknown label {', '.join(unknown)}: wanted some of "
                        f"{', '.join(GARMENT_CLASSES)}")  # fmt: skip
    if not path.exists():
        raise DataError(f"{index} names a file that does not exist: {path}")
    return Footage(path, tuple(CLASS_OF[label] for label in names))


def read_empty(source: Path) -> list[Footage]:
    """Footage of places without people: all of a folder, or the rows of a CSV without labels.

    Pictures are to be moved.

    Raises:
        DataError: there is none, or the CSV is damaged.
    """
    if source.is_dir():
        suffixes = SUFFIXES.union(VIDEO_SUFFIXES)
        paths = sorted(path for path in source.rglob("*") if path.suffix.lower() in suffixes)
    else:
        paths = [clip.path for clip in read_clips(source) if not clip.classes]
    if not paths:
        raise DataError(f"no footage in {source}: wanted pictures or videos in a folder, or a CSV "
                        "with the columns file and labels and rows without labels")  # fmt: skip
    return [Footage(path, (), photo=is_picture(path) and frame_count(path) == 1) for path in paths]


def read_grounds(source: Path) -> list[np.ndarray]:
    """Pictures of empty rooms, BGR uint8 (H, W, 3): of a video every GROUND_INTERVAL-th frame.

    Raises:
        DataError: as `read_empty`.
    """
    frames = (frame for footage in read_empty(source) for frame, _ in frames_of(footage))
    return [frame.image for frame in frames if frame.index % GROUND_INTERVAL == 0]


def picture_frame(image: np.ndarray) -> Frame:
    """The only frame of a picture, BGR uint8 (H, W, 3), which becomes read-only."""
    return Frame(image, 0, 0, Fraction(1, PHOTO_RATE), time.monotonic())


def read_photos(source: Path, *, limit: int | None) -> list[Footage]:
    """Photos of single garments, in a folder for each class or in a CSV.

    Args:
        limit: most photos to take, evenly spread; None for all.

    Raises:
        DataError: there is no photo of a known class.
    """
    samples = [sample for sample in read_samples(source) if sample.label in CLASS_OF]
    if not samples:
        raise DataError(f"{source} has no photo of {', '.join(GARMENT_CLASSES)}")
    step = max(1, len(samples) // limit) if limit else 1
    chosen = samples[::step][:limit]
    return [Footage(sample.path, (CLASS_OF[sample.label],), photo=True) for sample in chosen]


def read_marked_boxes(path: Path) -> dict[str, np.ndarray]:
    """Boxes float32 (4,) by the photo's file name, from a CSV `file,x1,y1,x2,y2`.

    Raises:
        DataError: no such file or column, or no number.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return {
                Path(row["file"]).name: np.array(
                    [float(row[key]) for key in ("x1", "y1", "x2", "y2")], np.float32
                )
                for row in csv.DictReader(file)
            }
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"cannot read {path} ({error}): wanted file,x1,y1,x2,y2") from error


def camera_motion(image: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Frames of a photo under a camera that pans, zooms and turns, each with its 2x3 map."""
    height, width = image.shape[:2]
    for step in range(PHOTO_FRAMES):
        phase = 2 * np.pi * step / PHOTO_FRAMES
        zoom = 1 + ZOOM * (1 - np.cos(phase)) / 2
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), TURN * np.sin(phase), zoom)
        turn[:, 2] += PAN * np.sin(phase) * width, PAN * np.sin(2 * phase) * height
        yield cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REPLICATE), turn


def frames_of(footage: Footage) -> Iterator[tuple[Frame, np.ndarray | None]]:
    """The frames, and for a photo each one's 2x3 map from the photo."""
    if not footage.photo:
        with open_source(str(footage.path)) as source:
            for frame in source:
                if frame.index >= MAX_FRAMES:
                    return
                yield frame, None
    else:
        for index, (image, turn) in enumerate(camera_motion(read_picture(footage.path))):
            yield Frame(image, index, index, Fraction(1, PHOTO_RATE), time.monotonic()), turn


def moved_box(box: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """The box float32 (4,) around the corners of a box after a 2x3 map."""
    x1, y1, x2, y2 = box
    corners = np.array([[x1, y1, 1], [x2, y1, 1], [x2, y2, 1], [x1, y2, 1]]) @ turn.T
    return np.concatenate([corners.min(axis=0), corners.max(axis=0)]).astype(np.float32)
