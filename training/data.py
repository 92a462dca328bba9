"""Training, validation and test batches of Fashion-MNIST, as whole uint8 tensors."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    SequentialSampler,
    TensorDataset,
)

from preprocessing import fashion_mnist
from preprocessing.fashion_mnist import CLASSES as CLASSES

VALIDATION_IMAGES = 5000
EVALUATION_BATCH = 500
# One split for all runs and seeds: what validation chose stays comparable, and no later run trains
# on the images that an earlier one was chosen or calibrated by.
SPLIT_SEED = 0


@dataclass(frozen=True, eq=False)
class Split:
    """Images uint8 (N, 1, 28, 28) with their labels int64 (N,)."""

    images: torch.Tensor
    labels: torch.Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def loader(self, batch_size: int = EVALUATION_BATCH, *, seed: int | None = None) -> DataLoader:
        """Batches in order, or in an order drawn anew each epoch from `seed`, the rest dropped."""
        dataset = TensorDataset(self.images, self.labels)
        sampler = SequentialSampler(dataset)
        if seed is not None:
            batch_size = min(batch_size, len(self))
            sampler = RandomSampler(dataset, generator=torch.Generator().manual_seed(seed))
        batches = BatchSampler(sampler, batch_size, drop_last=seed is not None)
        # batch_size=None: the sampler yields whole index lists, so a batch is one tensor look-up.
        return DataLoader(dataset, sampler=batches, batch_size=None)


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
    data_dir: str | Path | None = None, *, limit: int | None = None
) -> tuple[Split, Split]:
    """The training part and the validation part of the 60,000, each cut to `limit` if given."""
    images, labels = fashion_mnist.load("train", data_dir)
    rest, validation = stratified_split(labels, count=VALIDATION_IMAGES, seed=SPLIT_SEED)
    rest, validation = rest[:limit], validation[:limit]
    return _split(images[rest], labels[rest]), _split(images[validation], labels[validation])


def test_split(data_dir: str | Path | None = None, *, limit: int | None = None) -> Split:
    """The 10,000 test images, or the first `limit`."""
    images, labels = fashion_mnist.load("test", data_dir)
    return _split(images[:limit], labels[:limit])


def _split(images: np.ndarray, labels: np.ndarray) -> Split:
    return Split(torch.tensor(images).unsqueeze(1), torch.tensor(labels))
