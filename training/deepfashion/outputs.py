"""What a DeepFashion network answers: parts of one long row of numbers, described by Attributes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from preprocessing.datasets.attribute_table import Attribute
from preprocessing.datasets.deepfashion_benchmark import POINTS, Benchmark

BOX, TYPE, LANDMARKS = "box", "type", "landmarks"
SIDES = ("x1", "y1", "x2", "y2")
COORDINATES = tuple(f"{axis}{k}" for k in range(POINTS) for axis in "xy")
PRESENT = tuple(f"present{k}" for k in range(POINTS))
BRANCH = "branch"  # kind of an Attribute: one class among those of a type of garment


@dataclass(frozen=True)
class Outputs:
    """The parts of an answer, in their order."""

    parts: tuple[Attribute, ...]

    @classmethod
    def of(cls, benchmark: Benchmark) -> "Outputs":
        """Those that a benchmark has the truth for."""
        parts = [Attribute(BOX, SIDES, SIDES, "box")]
        if benchmark.branches:
            kinds = tuple(branch.name for branch in benchmark.branches)
            parts.append(Attribute(TYPE, kinds, kinds))
            parts += [Attribute(b.name, b.codes, b.titles, BRANCH) for b in benchmark.branches]
        parts += [*benchmark.attributes, *benchmark.groups]
        if benchmark.landmarks.shape[1]:
            points = (*COORDINATES, *PRESENT)
            parts.append(Attribute(LANDMARKS, points, points, "points"))
        return cls(tuple(parts))

    @property
    def size(self) -> int:
        """Numbers of an answer."""
        return sum(len(part) for part in self.parts)

    def of_kind(self, kind: str) -> list[Attribute]:
        """Its parts of one kind."""
        return [part for part in self.parts if part.kind == kind]

    @property
    def groups(self) -> list[Attribute]:
        """Parts with one class each, besides the type of garment."""
        return [part for part in self.of_kind("one") if part.name != TYPE]

    def split(
        self, answer: torch.Tensor | np.ndarray
    ) -> dict[tuple[str, str], torch.Tensor | np.ndarray]:
        """An answer (N, size) by (kind, name) of its parts."""
        ends = np.cumsum([0, *(len(part) for part in self.parts)])
        return {
            (part.kind, part.name): answer[:, start:end]
            for part, start, end in zip(self.parts, ends[:-1], ends[1:], strict=True)
        }

    def category_scores(self, split: Mapping, *, temperature: float = 1.0) -> torch.Tensor:
        """Probabilities of all branches' classes (N, C): those of the type times its branch's."""
        kinds = torch.softmax(split["one", TYPE] / temperature, dim=1)
        branches = [
            kinds[:, k : k + 1] * torch.softmax(split[BRANCH, part.name] / temperature, dim=1)
            for k, part in enumerate(self.of_kind(BRANCH))
        ]
        return torch.cat(branches, dim=1)


def names(parts: Sequence[Attribute]) -> tuple[str, ...]:
    """A name for each number of an answer: "neckline v_neckline", ..."""
    return tuple(f"{part.name} {title}" for part in parts for title in part.titles)
