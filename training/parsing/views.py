"""Batches of views of composed scenes, that a parser learns from and is validated on."""

import math
import os
from collections.abc import Iterator

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from preprocessing.processes import clean_context
from preprocessing.synthesis.people.scenes import Materials
from preprocessing.synthesis.people.views import View, ViewComposer, shapes_of
from training.parsing.settings import ParserRecipe

WORKERS = max(1, (os.cpu_count() or 2) - 1)
VALIDATION_SEED = 1 << 20
UPRIGHT = 1  # number of the shape that `batch_size` counts

# BGR uint8 (N, 3, H, W), and classes uint8 (N, H, W).
Batch = tuple[torch.Tensor, torch.Tensor]


class ComposedBatches(IterableDataset[Batch]):
    """Batches of an epoch, each of one shape and about as many pixels.

    Args:
        steps: batches an epoch, over all worker processes.
        crops: crops of people alone, the same in every epoch.
    """

    def __init__(
        self, materials: Materials, recipe: ParserRecipe, *, seed: int, steps: int, crops: bool
    ):
        self._materials, self._seed, self._steps, self._crops = materials, seed, steps, crops
        self._side = recipe.size
        shapes = shapes_of(recipe.size)
        pixels = recipe.batch_size * math.prod(shapes[UPRIGHT])
        self._sizes = {shape: max(1, pixels // math.prod(shape)) for shape in shapes}
        self.epoch = torch.zeros(1, dtype=torch.int64).share_memory_()  # seen by the workers

    def __len__(self) -> int:
        return self._steps

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        number, count = (worker.id, worker.num_workers) if worker else (0, 1)
        rng = np.random.default_rng([self._seed, int(self.epoch[0]), number])
        composer = ViewComposer(self._materials, rng, side=self._side)
        batches = self._batches(composer.crops() if self._crops else iter(composer))
        for _ in range(number, self._steps, count):
            yield next(batches)

    def _batches(self, views: Iterator[View]) -> Iterator[Batch]:
        """Batches without end, each as soon as enough views have its shape."""
        held: dict[tuple[int, ...], list[View]] = {shape: [] for shape in self._sizes}
        for view in views:
            shape = view.classes.shape
            held[shape].append(view)
            if len(held[shape]) == self._sizes[shape]:
                yield _tensors(held[shape])
                held[shape] = []

    def loader(self, *, workers: int) -> DataLoader:
        """The batches of an epoch; composed by the process itself without workers."""
        return DataLoader(
            self,
            batch_size=None,
            num_workers=workers,
            multiprocessing_context=clean_context() if workers else None,
            persistent_workers=workers > 0,
            worker_init_fn=_one_thread,
        )


def training_batches(materials: Materials, recipe: ParserRecipe, seed: int) -> ComposedBatches:
    """Views of all kinds, others in every epoch."""
    steps = max(1, recipe.images // recipe.batch_size)
    return ComposedBatches(materials, recipe, seed=seed, steps=steps, crops=False)


def validation_batches(materials: Materials, recipe: ParserRecipe) -> ComposedBatches:
    """Crops of people, the same ones always."""
    steps = max(1, recipe.validation_images // recipe.batch_size)
    return ComposedBatches(materials, recipe, seed=VALIDATION_SEED, steps=steps, crops=True)


def _one_thread(_: int) -> None:
    cv2.setNumThreads(0)  # the network needs the cores as well


def _tensors(views: list[View]) -> Batch:
    images = np.stack([view.image for view in views]).transpose(0, 3, 1, 2)
    classes = np.stack([view.classes for view in views])
    return torch.from_numpy(np.ascontiguousarray(images)), torch.from_numpy(classes)
