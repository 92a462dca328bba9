"""Training, validation and test subsets of a data set: their batches, photos, and predictions."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol, Self

import cv2
import numpy as np
import torch
from torch import nn
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    TensorDataset,
    WeightedRandomSampler,
)
from torchvision.transforms import RandomResizedCrop

from preprocessing.datasets.samples_and_splits import Sample, refuse_bad
from preprocessing.errors import DataError
from preprocessing.images.pictures import read_picture
from preprocessing.images.regions import CONTEXT, photo_input, resize_planes, whole_image
from preprocessing.processes import clean_context
from preprocessing.synthesis.occlusions import draw_occluder

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


PHOTO_BATCH = 32  # photos of a batch in evaluation
WORKERS = min(4, os.cpu_count() or 1)
ASPECT = (3 / 4, 4 / 3)  # of random crops


@dataclass(frozen=True, eq=False)
class ImageSubset:
    """A subset in memory: images uint8 (N, C, S, S) with their labels int64 (N,)."""

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

    def with_repeated(self, other: Self, *, repeats: int) -> Self:
        """These images, and those of another subset several times."""
        return replace(
            self,
            images=torch.cat([self.images, *[other.images] * repeats]),
            labels=torch.cat([self.labels, *[other.labels] * repeats]),
        )


@dataclass(frozen=True, eq=False)
class PhotoSubset:
    """A subset of a data set of photos.

    Attributes:
        classes: names in the order of the labels.
        size: side of the network's input in pixels.
        smallest_crop: smallest fraction of a photo's area in random crops; 1 for whole photos.
        bad_log: file that unreadable photos are entered in.
        occlusion: fraction of the photos with a random occluder in training.
    """

    samples: Sequence[Sample]
    classes: tuple[str, ...]
    size: int
    smallest_crop: float = 1.0
    bad_log: Path | None = None
    occlusion: float = 0.0

    def __len__(self) -> int:
        return len(self.samples)

    @cached_property
    def labels(self) -> torch.Tensor:
        """int64 (N,)."""
        numbers = {name: number for number, name in enumerate(self.classes)}
        return torch.tensor([numbers[sample.label] for sample in self.samples])

    def loader(self, sampling: Sampling | None = None) -> DataLoader:
        """See `Subset`; an unreadable photo is black and has the label UNREADABLE."""
        chosen = batch_sampler(self.labels, sampling, size=PHOTO_BATCH)
        return picture_loader(PhotoDataset(self, augmented=sampling is not None), chosen)

    def name(self, index: int) -> str:
        """See `Subset`."""
        return str(self.samples[index].path)

    def picture(self, index: int) -> np.ndarray:
        """See `Subset`."""
        return self._whole(read_picture(self.samples[index].path))

    def augmented(self, index: int) -> np.ndarray:
        """A picture as `picture`, occluded and cropped at random."""
        image = read_picture(self.samples[index].path)
        if torch.rand(()) < self.occlusion:
            _occlude(image)
        if self.smallest_crop < 1:
            return random_crop(image, self.size, smallest=self.smallest_crop)
        return self._whole(image)

    def _whole(self, image: np.ndarray) -> np.ndarray:
        return photo_input(image, whole_image(image), self.size)


class PhotoDataset(Dataset):
    """Single photos of a subset as tensors, augmented anew each time or whole."""

    def __init__(self, subset: PhotoSubset, *, augmented: bool):
        self._subset, self._augmented = subset, augmented
        self._labels = subset.labels

    def __len__(self) -> int:
        return len(self._subset)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        subset = self._subset
        try:
            planes = subset.augmented(index) if self._augmented else subset.picture(index)
        except DataError as error:
            if subset.bad_log:
                with subset.bad_log.open("a", encoding="utf-8") as file:
                    file.write(f"{error}\n")
            black = torch.zeros(3, subset.size, subset.size, dtype=torch.uint8)
            return black, torch.full_like(self._labels[index], UNREADABLE)
        return torch.from_numpy(planes), self._labels[index]


def picture_loader(dataset: Dataset, chosen: Sampler[list[int]]) -> DataLoader:
    """Batches of pictures that are read by WORKERS processes, or by this one where that is 0."""
    if not WORKERS:
        return DataLoader(dataset, batch_sampler=chosen)
    return DataLoader(
        dataset,
        batch_sampler=chosen,
        num_workers=WORKERS,
        worker_init_fn=_one_thread,
        multiprocessing_context=clean_context(),
        persistent_workers=True,
    )


def random_crop(image: np.ndarray, size: int, *, smallest: float) -> np.ndarray:
    """A random crop of a BGR image (H, W, 3) as uint8 (3, size, size) (Szegedy et al. 2014)."""
    planes = torch.from_numpy(image).permute(2, 0, 1)
    top, left, height, width = RandomResizedCrop.get_params(planes, [smallest, 1.0], list(ASPECT))
    return resize_planes(image[top : top + height, left : left + width], size)


def _occlude(image: np.ndarray) -> None:
    """Draw a random occluder over the garment that a photo shows, in place."""
    margin = CONTEXT / (1 + 2 * CONTEXT)
    sides = np.tile(image.shape[1::-1], 2)
    box = np.array([margin, margin, 1 - margin, 1 - margin]) * sides
    draw_occluder(image, box, np.random.default_rng(int(torch.randint(2**31, ()))))


def _one_thread(_: int) -> None:
    cv2.setNumThreads(0)  # the workers and the network use the same cores


def predict(network: nn.Module, loader: DataLoader) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits float32 (N, classes) and labels int64 (N, ...) of a whole loader.

    Pictures that could not be read keep their place, with the label UNREADABLE.
    """
    network = network.eval()
    logits, labels = [], []
    with torch.inference_mode():
        for images, batch_labels in loader:
            logits.append(network(images).float())
            labels.append(batch_labels)
    return torch.cat(logits), torch.cat(labels)


def predict_readable(
    network: nn.Module, subset: Subset, *, max_bad: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places int (N,) in a subset of the pictures that can be read, their logits, and labels.

    Raises:
        DataError: more than the fraction `max_bad` of the pictures cannot be read.
    """
    logits, labels = predict(network, subset.loader())
    bad = np.flatnonzero(labels == UNREADABLE)
    first = subset.name(int(bad[0])) if len(bad) else ""
    refuse_bad(len(bad), len(labels), max_bad=max_bad, first=first)
    return np.flatnonzero(labels != UNREADABLE), *readable(logits, labels)


def readable(logits: torch.Tensor, labels: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Logits and labels as arrays, without the pictures that could not be read."""
    kept = labels != UNREADABLE
    return logits[kept].numpy(), labels[kept].numpy()
