"""Photos as batches: read from their files, cut at random in training, whole otherwise."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import RandomResizedCrop

from preprocessing.datasets.samples import Sample
from preprocessing.errors import DataError
from preprocessing.images.network_input import CONTEXT, photo, resize_planes
from preprocessing.images.pictures import read_picture
from preprocessing.images.regions import whole_image
from preprocessing.processes import clean_context
from preprocessing.synthesis.occlusions import hang
from training.common.data_parts import UNREADABLE, Order, Share, batches

EVALUATION_BATCH = 32
WORKERS = min(4, os.cpu_count() or 1)
ASPECT = (3 / 4, 4 / 3)  # of random cuts


@dataclass(frozen=True, eq=False)
class PhotoPart:
    """One part of a photo data set.

    Attributes:
        classes: names in the order of the labels.
        size: side of the network's input in pixels.
        smallest_crop: share of a photo's area that random cuts keep at least; 1 for whole photos.
        bad_log: file that unreadable photos are entered in.
        hung: share of the photos that a lanyard or the like is drawn over in training.
    """

    samples: Sequence[Sample]
    classes: tuple[str, ...]
    size: int
    smallest_crop: float = 1.0
    bad_log: Path | None = None
    hung: float = 0.0

    def __len__(self) -> int:
        return len(self.samples)

    @cached_property
    def labels(self) -> torch.Tensor:
        """int64 (N,)."""
        numbers = {name: number for number, name in enumerate(self.classes)}
        return torch.tensor([numbers[sample.label] for sample in self.samples])

    def loader(self, order: Order | None = None) -> DataLoader:
        """See `data_parts.Part`; an unreadable photo comes black with the label UNREADABLE."""
        chosen = batches(self.labels, order, size=EVALUATION_BATCH)
        return picture_loader(PhotoDataset(self, varied=order is not None), chosen)

    def name(self, index: int) -> str:
        """See `training.common.data_parts.Part`."""
        return str(self.samples[index].path)

    def picture(self, index: int) -> np.ndarray:
        """See `training.common.data_parts.Part`."""
        return self._whole(read_picture(self.samples[index].path))

    def variation(self, index: int) -> np.ndarray:
        """A picture as `picture`, with something hung over it, and cut, at random."""
        image = read_picture(self.samples[index].path)
        if torch.rand(()) < self.hung:
            _hang(image)
        if self.smallest_crop < 1:
            return random_cut(image, self.size, smallest=self.smallest_crop)
        return self._whole(image)

    def _whole(self, image: np.ndarray) -> np.ndarray:
        return photo(image, whole_image(image), self.size)


class PhotoDataset(Dataset):
    """Single photos of a part as tensors, each time varied or not."""

    def __init__(self, part: PhotoPart, *, varied: bool):
        self._part, self._varied = part, varied
        self._labels = part.labels

    def __len__(self) -> int:
        return len(self._part)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        part = self._part
        try:
            planes = part.variation(index) if self._varied else part.picture(index)
        except DataError as error:
            if part.bad_log:
                with part.bad_log.open("a", encoding="utf-8") as file:
                    file.write(f"{error}\n")
            black = torch.zeros(3, part.size, part.size, dtype=torch.uint8)
            return black, torch.full_like(self._labels[index], UNREADABLE)
        return torch.from_numpy(planes), self._labels[index]


def picture_loader(dataset: Dataset, chosen: Share) -> DataLoader:
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


def random_cut(image: np.ndarray, size: int, *, smallest: float) -> np.ndarray:
    """A random part of a BGR image (H, W, 3) as uint8 (3, size, size) (Szegedy et al. 2014)."""
    planes = torch.from_numpy(image).permute(2, 0, 1)
    top, left, height, width = RandomResizedCrop.get_params(planes, (smallest, 1.0), ASPECT)
    return resize_planes(image[top : top + height, left : left + width], size)


def _hang(image: np.ndarray) -> None:
    """Draw a lanyard or the like over the garment that a photo shows, in place."""
    margin = CONTEXT / (1 + 2 * CONTEXT)
    sides = np.tile(image.shape[1::-1], 2)
    box = np.array([margin, margin, 1 - margin, 1 - margin]) * sides
    hang(image, box, np.random.default_rng(int(torch.randint(2**31, ()))))


def _one_thread(_: int) -> None:
    cv2.setNumThreads(0)  # the workers share the cores with the network
