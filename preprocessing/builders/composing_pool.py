"""Composed examples made in chunks by processes, each of which is sent the materials once."""

from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from preprocessing.processes import process_pool
from preprocessing.synthesis.people.scenes import Materials

SEED_OF_SPLIT = {"training": 0, "validation": 1}  # second part of a chunk's seed

_materials: dict[str, Materials] = {}  # of the process, by split


@dataclass(frozen=True)
class Chunk:
    """Examples that one process makes from one generator, with the rooms they have in common.

    Attributes:
        folder: of the data set; split: a key of SEED_OF_SPLIT.
        first: number of the first example; count: of the examples.
        seed: of the data set.
    """

    folder: Path
    split: str
    first: int
    count: int
    seed: int

    @property
    def numbers(self) -> range:
        """Numbers of the examples."""
        return range(self.first, self.first + self.count)

    @property
    def materials(self) -> Materials:
        """The materials of the split, in a process of `composing_pool`."""
        return _materials[self.split]

    def generator(self) -> np.random.Generator:
        """The chunk's own generator; the same seed gives the same examples."""
        return np.random.default_rng([self.seed, SEED_OF_SPLIT[self.split], self.first])


def chunks_of(folder: Path, split: str, count: int, *, seed: int, largest: int) -> list[Chunk]:
    """The chunks of a split's `count` examples, each of at most `largest`."""
    return [
        Chunk(folder, split, first, min(largest, count - first), seed)
        for first in range(0, count, largest)
    ]


def composing_pool(materials: Mapping[str, Materials]) -> ProcessPoolExecutor:
    """Processes for functions of chunks, with the materials by split."""
    return process_pool(_start, dict(materials))


def _start(materials: dict[str, Materials]) -> None:
    cv2.setNumThreads(1)  # the pool fills the cores
    _materials.update(materials)
