"""What networks learn from and are judged by: Fashion-MNIST as tensors, photos as files.

Both kinds of part have `labels`, a length and `loader(order)`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import torch
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    SequentialSampler,
    TensorDataset,
    WeightedRandomSampler,
)

from preprocessing.datasets import fashion_mnist
from preprocessing.datasets.fashion_mnist import CLASSES as CLASSES

VALIDATION_IMAGES = 5000
EVALUATION_BATCH = 500
CUT = {1: "fashion-mnist", 3: "photo"}  # the row of CUTS for so many channels
UNREADABLE = -1  # the label of a picture that could not be read
# One split for all runs and seeds: what validation chose stays comparable, and no later run trains
# on the images that an earlier one was chosen or calibrated by.
SPLIT_SEED = 0


@dataclass(frozen=True)
class Order:
    """How training draws its batches.

    Attributes:
        batch_size: samples of a batch over all processes.
        seed: of the order, drawn anew each epoch.
        balanced: every class as often as every other, instead of every sample once.
        rank, world: this process and how many share each batch.
    """

    batch_size: int
    seed: int
    balanced: bool = False
    rank: int = 0
    world: int = 1


class Part(Protocol):
    """Training, validation or test part of a data set."""

    labels: torch.Tensor  # int64 (N,)

    def __len__(self) -> int: ...

    def loader(self, order: Order | None = None) -> DataLoader:
        """Batches of images uint8 (n, C, S, S) and labels int64 (n,): all in order, or shuffled."""
        ...

    def name(self, index: int) -> str:
        """What people find a picture by."""
        ...

    def picture(self, index: int) -> np.ndarray:
        """A picture as the network sees it: uint8 (C, S, S)."""
        ...


@dataclass(frozen=True, eq=False)
class DataParts:
    """A data set ready for training; `validation` or `test` may be None."""

    classes: tuple[str, ...]
    training: Part
    validation: Part | None
    test: Part | None


class Share:
    """One process's share of every batch of a sampler: together they are the whole batch."""

    def __init__(self, batches: BatchSampler, *, rank: int, world: int):
        self._batches, self._rank, self._world = batches, rank, world

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[list[int]]:
        for batch in self._batches:
            yield batch[self._rank :: self._world]


def batches(labels: torch.Tensor, order: Order | None, *, size: int = EVALUATION_BATCH) -> Share:
    """Lists of indices: all in order, `size` at a time; or as `order` says, the rest dropped."""
    if order is None:
        whole = BatchSampler(SequentialSampler(labels), size, drop_last=False)
        return Share(whole, rank=0, world=1)
    generator = torch.Generator().manual_seed(order.seed)
    sampler = RandomSampler(labels, generator=generator)
    if order.balanced:
        sampler = WeightedRandomSampler(rarity(labels), len(labels), generator=generator)
    whole = BatchSampler(sampler, min(order.batch_size, len(labels)), drop_last=True)
    return Share(whole, rank=order.rank, world=order.world)


def rarity(labels: torch.Tensor) -> torch.Tensor:
    """How rare the classes of each sample are, float32 (N,): the mean over what is known of it.

    Args:
        labels: int64 (N,), or (N, attributes) with negative numbers where nothing is known.
    """
    columns = labels.view(len(labels), -1)
    shares = torch.zeros(columns.shape)
    for column, share in zip(columns.T, shares.T, strict=True):
        known = column >= 0
        share[known] = 1 / column[known].bincount().float()[column[known]]
    return shares.sum(dim=1) / (columns >= 0).sum(dim=1).clamp(min=1)


@dataclass(frozen=True, eq=False)
class Split:
    """Images uint8 (N, C, S, S) with their labels int64 (N,)."""

    images: torch.Tensor
    labels: torch.Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def loader(self, order: Order | None = None) -> DataLoader:
        """See `Part`."""
        # batch_size=None: the sampler yields whole index lists, so a batch is one tensor look-up.
        return DataLoader(
            TensorDataset(self.images, self.labels),
            sampler=batches(self.labels, order),
            batch_size=None,
        )

    def name(self, index: int) -> str:
        """See `Part`."""
        return f"image {index}"

    def picture(self, index: int) -> np.ndarray:
        """See `Part`."""
        return self.images[index].numpy()


def joined(first: Split, second: Split, *, repeats: int) -> Split:
    """One part, and `repeats` times another."""
    return Split(
        torch.cat([first.images, *[second.images] * repeats]),
        torch.cat([first.labels, *[second.labels] * repeats]),
    )


def stratified_split(labels: np.ndarray, *, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two disjoint, sorted index arrays that cover `labels`; the second holds `count` of them.

    Each class gives the second part its share, rounded; what rounding leaves is drawn at random.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(labels))
    ranks = np.empty(len(labels))
    for label in np.unique(labels):
        members = order[labels[order] == label]
        ranks[members] = (np.arange(len(members)) + 0.5) / len(members)
    chosen = order[np.argsort(ranks[order], kind="stable")]
    return np.sort(chosen[count:]), np.sort(chosen[:count])


def training_splits(
    data_dir: str | Path | None = None, *, limit: int | None = None, size: int = 28
) -> tuple[Split, Split]:
    """The training part and the validation part of the 60,000, each cut to `limit` if given."""
    images, labels = fashion_mnist.load("train", data_dir)
    rest, validation = stratified_split(labels, count=VALIDATION_IMAGES, seed=SPLIT_SEED)
    rest, validation = rest[:limit], validation[:limit]
    return (
        _split(images[rest], labels[rest], size=size),
        _split(images[validation], labels[validation], size=size),
    )


def test_split(
    data_dir: str | Path | None = None, *, limit: int | None = None, size: int = 28
) -> Split:
    """The 10,000 test images, or the first `limit`."""
    images, labels = fashion_mnist.load("test", data_dir)
    return _split(images[:limit], labels[:limit], size=size)


def _split(images: np.ndarray, labels: np.ndarray, *, size: int) -> Split:
    if size != images.shape[-1]:
        images = np.stack([cv2.resize(image, (size, size)) for image in images])
    return Split(torch.tensor(images).unsqueeze(1), torch.tensor(labels))
