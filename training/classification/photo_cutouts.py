"""Real photos as the Fashion-MNIST networks see them: cut out by our own segmentation."""

from collections.abc import Collection, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch

from preprocessing.datasets.fashion_mnist import CLASSES
from preprocessing.datasets.samples import Sample, read_samples
from preprocessing.errors import DataError
from preprocessing.images.pictures import read_picture
from preprocessing.images.regions import whole_image
from preprocessing.images.segmentation import segment, to_fashion_mnist
from preprocessing.labels import GARMENT_CLASSES, PHOTO_FASHION_MNIST
from preprocessing.processes import process_pool
from training.common.data_parts import Split

# Labels to learn from and to evaluate by, and labels near enough to learn from alone.
LABELS = {label: name for label, name in PHOTO_FASHION_MNIST.items() if label in GARMENT_CLASSES}
RELATED = {label: name for label, name in PHOTO_FASHION_MNIST.items() if label not in LABELS}


def known_photos(
    source: Path, *, group_column: str = "group", labels: Collection[str] = LABELS
) -> list[Sample]:
    """The photos of a folder a class or of a CSV whose labels mean one of our classes.

    Raises:
        DataError: there are none, or see `read_samples`.
    """
    samples = read_samples(source, group_column=group_column)
    samples = [sample for sample in samples if sample.label in labels]
    if not samples:
        raise DataError(f"no photos in {source}: wanted the labels {', '.join(labels)}")
    return samples


def photo_split(samples: Sequence[Sample]) -> Split:
    """Photos of `known_photos`, each cut to its largest garment.

    Raises:
        DataError: a photo cannot be read.
    """
    with process_pool() as pool:
        crops = np.stack(list(pool.map(_crop, [s.path for s in samples], chunksize=16)))
    labels = [CLASSES.index(PHOTO_FASHION_MNIST[sample.label]) for sample in samples]
    return Split(torch.from_numpy(crops)[:, None], torch.tensor(labels))


def _crop(path: Path) -> np.ndarray:
    cv2.setNumThreads(1)  # the pool fills the cores
    image = read_picture(path)
    regions = segment(image, "grabcut") or [whole_image(image)]
    return to_fashion_mnist(image, regions[0])
