"""Fashion-MNIST as subsets of a data set, and photos whose garments are cut out to look like it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

from preprocessing.datasets import fashion_mnist
from preprocessing.datasets.fashion_mnist import CLASSES
from preprocessing.datasets.samples import Sample, read_samples
from preprocessing.errors import DataError
from preprocessing.images.network_input import to_fashion_mnist
from preprocessing.images.pictures import read_picture
from preprocessing.images.regions import whole_image
from preprocessing.images.segmentation import segment
from preprocessing.labels import GARMENT_CLASSES, PHOTO_FASHION_MNIST
from preprocessing.processes import process_pool
from training.common.subsets import Sampling, batch_sampler

VALIDATION_IMAGES = 5000
# One split for all runs and seeds: what validation chose stays comparable, and no later run trains
# on the images that an earlier one was chosen or calibrated by.
SPLIT_SEED = 0
# Labels to learn from and to evaluate by, and labels near enough to learn from alone.
LABELS = {label: name for label, name in PHOTO_FASHION_MNIST.items() if label in GARMENT_CLASSES}
RELATED = {label: name for label, name in PHOTO_FASHION_MNIST.items() if label not in LABELS}


@dataclass(frozen=True, eq=False)
class ImageSubset:
    """A `Subset` in memory: images uint8 (N, C, S, S) with their labels int64 (N,)."""

    images: torch.Tensor
    labels: torch.Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def loader(self, sampling: Sampling | None = None) -> DataLoader:
        """See `Subset`."""
        # batch_size=None: the sampler yields whole index lists, so a batch is one tensor look-up.
        return DataLoader(
            TensorDataset(self.images, self.labels),
            sampler=batch_sampler(self.labels, sampling),
            batch_size=None,
        )

    def name(self, index: int) -> str:
        """See `Subset`."""
        return f"image {index}"

    def picture(self, index: int) -> np.ndarray:
        """See `Subset`."""
        return self.images[index].numpy()


def joined(first: ImageSubset, second: ImageSubset, *, repeats: int) -> ImageSubset:
    """One subset, and another one several times."""
    return ImageSubset(
        torch.cat([first.images, *[second.images] * repeats]),
        torch.cat([first.labels, *[second.labels] * repeats]),
    )


def stratified_split(labels: np.ndarray, *, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two disjoint, sorted index arrays that cover `labels`; the second holds `count` of them.

    Each class gives the second its fraction, rounded; what rounding leaves is drawn at random.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(labels))
    ranks = np.empty(len(labels))
    for label in np.unique(labels):
        members = order[labels[order] == label]
        ranks[members] = (np.arange(len(members)) + 0.5) / len(members)
    chosen = order[np.argsort(ranks[order], kind="stable")]
    return np.sort(chosen[count:]), np.sort(chosen[:count])


def training_subsets(
    data_dir: Path | None = None, *, limit: int | None = None, size: int = 28
) -> tuple[ImageSubset, ImageSubset]:
    """Training and validation subset of the 60,000, each cut to `limit` if given.

    Raises:
        DataError: see `fashion_mnist.load`.
    """
    images, labels = fashion_mnist.load("train", data_dir)
    split = stratified_split(labels, count=VALIDATION_IMAGES, seed=SPLIT_SEED)
    training, validation = (
        _resized(images[rows[:limit]], labels[rows[:limit]], size=size) for rows in split
    )
    return training, validation


def test_subset(
    data_dir: Path | None = None, *, limit: int | None = None, size: int = 28
) -> ImageSubset:
    """The 10,000 test images, or the first `limit`.

    Raises:
        DataError: see `fashion_mnist.load`.
    """
    images, labels = fashion_mnist.load("test", data_dir)
    return _resized(images[:limit], labels[:limit], size=size)


def _resized(images: np.ndarray, labels: np.ndarray, *, size: int) -> ImageSubset:
    if size != images.shape[-1]:
        images = np.stack([cv2.resize(image, (size, size)) for image in images])
    return ImageSubset(torch.tensor(images).unsqueeze(1), torch.tensor(labels))


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


def cut_out(samples: Sequence[Sample]) -> ImageSubset:
    """Photos of `known_photos`, of each its largest garment, segmented and shrunk.

    Raises:
        DataError: a photo cannot be read.
    """
    with process_pool() as pool:
        garments = np.stack(list(pool.map(_cut_out, [s.path for s in samples], chunksize=16)))
    labels = [CLASSES.index(PHOTO_FASHION_MNIST[sample.label]) for sample in samples]
    return ImageSubset(torch.from_numpy(garments)[:, None], torch.tensor(labels))


def _cut_out(path: Path) -> np.ndarray:
    cv2.setNumThreads(1)  # the pool fills the cores
    image = read_picture(path)
    regions = segment(image, "grabcut") or [whole_image(image)]
    return to_fashion_mnist(image, regions[0])
