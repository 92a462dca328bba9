"""Training, validation and test subsets of a data set, and the batches that are drawn from them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    Sampler,
    SequentialSampler,
    WeightedRandomSampler,
)

EVALUATION_BATCH = 500
UNREADABLE = -1  # the label of a picture that could not be read


@dataclass(frozen=True)
class Sampling:
    """How training draws its batches.

    Attributes:
        batch_size: samples of a batch over all processes.
        seed: of the order, drawn anew each epoch.
        balanced: every class as often as every other, instead of every sample once.
        rank, world: this process and how many split each batch.
    """

    batch_size: int
    seed: int
    balanced: bool = False
    rank: int = 0
    world: int = 1


class Subset(Protocol):
    """One subset of a data set of labelled pictures."""

    @property
    def labels(self) -> torch.Tensor:
        """int64 (N,)."""

    def __len__(self) -> int: ...

    def loader(self, sampling: Sampling | None = None) -> DataLoader:
        """Batches of images uint8 (n, C, S, S) and labels int64 (n,): all in order, or drawn."""

    def name(self, index: int) -> str:
        """The name of a picture in reports."""

    def picture(self, index: int) -> np.ndarray:
        """A picture as the network's input, uint8 (C, S, S)."""


@dataclass(frozen=True, eq=False)
class Splits:
    """A data set ready for training; `validation` or `test` may be None."""

    classes: tuple[str, ...]
    training: Subset
    validation: Subset | None
    test: Subset | None


class DistributedBatchSampler(Sampler[list[int]]):
    """The samples of every batch that one process of several takes."""

    def __init__(self, batches: BatchSampler, *, rank: int, world: int):
        self._batches, self._rank, self._world = batches, rank, world

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[list[int]]:
        for batch in self._batches:
            yield batch[self._rank :: self._world]


def batch_sampler(
    labels: torch.Tensor, sampling: Sampling | None, *, size: int = EVALUATION_BATCH
) -> DistributedBatchSampler:
    """Lists of indices: all in order, `size` at a time; or drawn, without an incomplete batch."""
    if sampling is None:
        whole = BatchSampler(SequentialSampler(labels), size, drop_last=False)
        return DistributedBatchSampler(whole, rank=0, world=1)
    generator = torch.Generator().manual_seed(sampling.seed)
    sampler: Sampler[int] = RandomSampler(labels, generator=generator)
    if sampling.balanced:
        sampler = WeightedRandomSampler(
            sample_weights(labels).tolist(), len(labels), generator=generator
        )
    whole = BatchSampler(sampler, min(sampling.batch_size, len(labels)), drop_last=True)
    return DistributedBatchSampler(whole, rank=sampling.rank, world=sampling.world)


def sample_weights(labels: torch.Tensor) -> torch.Tensor:
    """Inverse class frequencies of each sample, float32 (N,): the mean over its known labels.

    Args:
        labels: int64 (N,), or (N, attributes) with negative numbers for unknown ones.
    """
    columns = labels.view(len(labels), -1)
    weights = torch.zeros(columns.shape)
    for column, weight in zip(columns.T, weights.T, strict=True):
        known = column >= 0
        weight[known] = 1 / column[known].bincount().float()[column[known]]
    return weights.sum(dim=1) / (columns >= 0).sum(dim=1).clamp(min=1)


def class_weights(labels: torch.Tensor, *, classes: int) -> torch.Tensor:
    """Weights of the loss, float32 (classes,), that make every class count alike."""
    counts = labels.bincount(minlength=classes).clamp(min=1)
    return counts.sum() / (len(counts) * counts.float())
