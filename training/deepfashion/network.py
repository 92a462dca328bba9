"""A backbone with a box head, whose box's local features join the global ones under all heads.

The outputs are one row of numbers, whose parts Attributes describe.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from preprocessing.datasets.attribute_table import Attribute
from preprocessing.datasets.deepfashion_benchmark import POINTS, Benchmark
from training.common.checkpoints import filled, load_best
from training.deepfashion.settings import FashionRecipe
from training.inference.weights import WeightsInfo
from training.models.backbones import BACKBONES, make_backbone
from training.models.layers import Normalise

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


BOX_CHANNELS = 64  # of the box head
UPSAMPLING = 2  # of the backbone's resolution, in the box head
# Prior of the edges' scores from border to border: the box of an untrained network is half as wide.
EDGE_PRIOR = 4.0
LOCAL_CHANNELS, LOCAL_GRID = 128, 3  # of the box's features, and cells a side
SAMPLES = 2  # a side of a cell


class FashionNetwork(nn.Module):
    """Raw pixels (N, 3, S, S) to rows (N, outputs.size).

    Boxes are fractions of the sides, ordered and within 0 to 1, everything else logits or raw
    coordinates. The local features are aligned to the network's own box (He et al. 2017, arXiv
    1703.06870), in training as in use.
    """

    def __init__(self, name: str, outputs: Outputs, *, size: int, dropout: float):
        super().__init__()
        self.normalise = Normalise(*BACKBONES[name].normalise)
        self.backbone, channels = make_backbone(name, size)
        self.box = nn.Sequential(
            nn.Conv2d(channels, BOX_CHANNELS, 1), nn.ReLU(),
            nn.Upsample(scale_factor=UPSAMPLING, mode="bilinear", align_corners=False),
            nn.Conv2d(BOX_CHANNELS, BOX_CHANNELS, 3, padding=1), nn.ReLU(),
            nn.Conv2d(BOX_CHANNELS, 4, 3, padding=1),
        )  # fmt: skip
        self.local = nn.Sequential(nn.Conv2d(channels, LOCAL_CHANNELS, 1), nn.ReLU())
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        features = channels + LOCAL_CHANNELS * LOCAL_GRID**2
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(features, outputs.size - 4))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.backbone(self.normalise(images))
        box = soft_argmax_box(self.box(features).float())
        local = roi_align(self.local(features).float(), box.detach()).flatten(1)
        both = torch.cat([self.pool(features).float(), local], dim=1)
        return torch.cat([box, self.head(both).float()], dim=1)


def roi_align(features: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """Return the features (N, C, 3, 3) of feature maps (N, C, h, w) in a box (N, 4) each.

    Boxes are fractions of the sides. RoIAlign with four samples a cell; torchvision's cannot be
    exported for any number of pictures.
    """
    samples = LOCAL_GRID * SAMPLES
    steps = (torch.arange(samples, device=features.device, dtype=features.dtype) + 0.5) / samples
    x = boxes[:, 0:1] + steps * (boxes[:, 2:3] - boxes[:, 0:1])  # (N, samples)
    y = boxes[:, 1:2] + steps * (boxes[:, 3:4] - boxes[:, 1:2])
    columns = x[:, None, :].expand(-1, samples, -1)
    rows = y[:, :, None].expand(-1, -1, samples)
    grid = 2 * torch.stack([columns, rows], dim=3) - 1
    return F.avg_pool2d(F.grid_sample(features, grid, align_corners=False), SAMPLES)


def soft_argmax_box(scores: torch.Tensor) -> torch.Tensor:
    """Return boxes (N, 4) of score maps (N, 4, h, w), fractions of the sides, corners in order.

    Two maps score the vertical edges, two the horizontal ones. An edge is the mean position under
    the softmax of its map's column or row means (Sun et al. 2018, arXiv 1711.08229), which needs
    fewer pictures than a layer that connects every cell with every number.
    """
    edges = []
    for pair, axis in ((scores[:, :2], 2), (scores[:, 2:], 3)):
        profile = pair.mean(dim=axis)
        positions = torch.linspace(0, 1, profile.shape[2], device=scores.device)
        prior = torch.stack([-EDGE_PRIOR * positions, EDGE_PRIOR * positions])
        probabilities = (profile + prior).softmax(dim=2)
        edges.append((probabilities * positions).sum(dim=2))
    corners = torch.stack(edges, dim=2)  # (N, 2, 2): two corners, x and y
    return torch.cat([corners.amin(dim=1), corners.amax(dim=1)], dim=1)


def load_run(folder: Path, recipe: FashionRecipe, outputs: Outputs) -> FashionNetwork:
    """Load the best network of a run.

    Raises:
        UsageError: the run has no whole checkpoint, or one of another network.
    """
    network = FashionNetwork(recipe.network, outputs, size=recipe.size, dropout=0.0)
    return load_best(folder, network)


def load_network(stem: Path, info: WeightsInfo) -> FashionNetwork:
    """Load the network of `stem`.onnx, ready to evaluate.

    Raises:
        WeightsError: the tensors do not fit the network that the metadata names.
    """
    network = FashionNetwork(info.network, Outputs(info.attributes), size=info.size, dropout=0.0)
    return filled(network, stem, info)
