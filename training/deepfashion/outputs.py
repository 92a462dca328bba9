"""Outputs of a DeepFashion network: one row of numbers, whose parts Attributes describe."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch

from preprocessing.datasets.attribute_table import Attribute
from preprocessing.datasets.deepfashion_benchmark import POINTS, Benchmark

BOX, TYPE, LANDMARKS = "box", "type", "landmarks"
SIDES = ("x1", "y1", "x2", "y2")
COORDINATES = tuple(f"{axis}{k}" for k in range(POINTS) for axis in "xy")
PRESENT = tuple(f"present{k}" for k in range(POINTS))
BRANCH = "branch"  # kind of an Attribute: one class among those of a type of garment

Rows = TypeVar("Rows", torch.Tensor, np.ndarray)


@dataclass(frozen=True)
class Outputs:
    """The parts of a row, in their order."""

    parts: tuple[Attribute, ...]

    @classmethod
    def of(cls, benchmark: Benchmark) -> "Outputs":
        """Those that a benchmark has labels for."""
        parts = [Attribute(BOX, SIDES, SIDES, "box")]
        if benchmark.branches:
            types = tuple(branch.name for branch in benchmark.branches)
            parts.append(Attribute(TYPE, types, types))
            parts += [Attribute(b.name, b.codes, b.titles, BRANCH) for b in benchmark.branches]
        parts += [*benchmark.attributes, *benchmark.groups]
        if benchmark.landmarks.shape[1]:
            points = (*COORDINATES, *PRESENT)
            parts.append(Attribute(LANDMARKS, points, points, "points"))
        return cls(tuple(parts))

    @property
    def size(self) -> int:
        """Numbers of a row."""
        return sum(len(part) for part in self.parts)

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each number of a row: "neckline v_neckline", ..."""
        return tuple(f"{part.name} {title}" for part in self.parts for title in part.titles)

    @property
    def branches(self) -> list[Attribute]:
        """Categories, a part for each type of garment."""
        return self._of_kind(BRANCH)

    @property
    def multi_label(self) -> list[Attribute]:
        """Attributes of which a picture has several."""
        return self._of_kind("several")

    @property
    def groups(self) -> list[Attribute]:
        """Parts with one class each, besides the type of garment."""
        return [part for part in self._of_kind("one") if part.name != TYPE]

    def _of_kind(self, kind: str) -> list[Attribute]:
        return [part for part in self.parts if part.kind == kind]

    def split(self, rows: Rows) -> dict[tuple[str, str], Rows]:
        """Rows (N, size) by (kind, name) of their parts."""
        ends = np.cumsum([0, *(len(part) for part in self.parts)])
        return {
            (part.kind, part.name): rows[:, start:end]
            for part, start, end in zip(self.parts, ends[:-1], ends[1:], strict=True)
        }

    def category_probabilities(
        self, split: Mapping[tuple[str, str], torch.Tensor], *, temperature: float = 1.0
    ) -> torch.Tensor:
        """Probabilities of all branches' classes (N, C): of the type times those of its branch."""
        types = torch.softmax(split["one", TYPE] / temperature, dim=1)
        branches = [
            types[:, k : k + 1] * torch.softmax(split[BRANCH, part.name] / temperature, dim=1)
            for k, part in enumerate(self.branches)
        ]
        return torch.cat(branches, dim=1)
