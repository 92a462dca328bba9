"""Pictures of DeepFashion with all that is known of them, as batches."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from preprocessing.datasets.attribute_table import MISSING
from preprocessing.datasets.deepfashion_benchmark import Benchmark
from preprocessing.errors import DataError
from preprocessing.images.network_input import resize_planes
from preprocessing.images.pictures import read_picture
from training.common.data_parts import Order, batches
from training.common.photo_parts import EVALUATION_BATCH, picture_loader

MOST_CUT = 0.2  # of a side, that random cuts take away, never of the garment's box
MOST_ADDED = 0.15  # of a side, by which the picture grows at its border instead
SWAPPED = [1, 0, 3, 2, 5, 4, 7, 6]  # landmarks in a mirror: left ones are right ones


@dataclass(frozen=True, eq=False)
class FashionPart:
    """Some pictures of a benchmark.

    Attributes:
        rows: int (N,), their places in the benchmark.
        size: side of the network's input in pixels.
    """

    benchmark: Benchmark
    rows: np.ndarray
    size: int

    def __len__(self) -> int:
        return len(self.rows)

    def loader(self, order: Order | None = None) -> DataLoader:
        """Batches of images uint8 (n, 3, S, S) and truths: all in order, or cut and mirrored."""
        places = torch.zeros(len(self.rows), dtype=torch.int64)
        chosen = batches(places, order, size=EVALUATION_BATCH)
        return picture_loader(FashionPictures(self, changed=order is not None), chosen)


class FashionPictures(Dataset):
    """Single pictures of a part with their truths, float32 and int64 tensors by name:

    box (4,) and landmarks (8, 2) in shares of the side (nan where absent), category (), has (A,) of
    1, 0 and MISSING, values (groups,). A picture that cannot be read is black and without truth.
    """

    def __init__(self, part: FashionPart, *, changed: bool):
        self._part, self._changed = part, changed

    def __len__(self) -> int:
        return len(self._part)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        part, row = self._part, int(self._part.rows[index])
        known = part.benchmark
        try:
            image = read_picture(known.paths[row])
        except DataError:
            planes = np.zeros((3, part.size, part.size), np.uint8)
            return torch.from_numpy(planes), _without_truth(known)
        height, width = image.shape[:2]
        box = clipped(known.boxes[row], width=width, height=height)
        points = known.landmarks[row]
        if self._changed:
            rng = np.random.default_rng(int(torch.randint(2**31, ())))
            image, box, points = changed(image, box, points, rng)
        sides = np.array(image.shape[1::-1], np.float32)
        truth = {"box": (box.reshape(2, 2) / sides).ravel(), "landmarks": points / sides}
        if known.categories is not None:
            truth["category"] = np.int64(known.categories[row])
        if known.bits is not None:
            truth["has"] = known.bits.row(row).astype(np.float32)
        if known.values is not None:
            truth["values"] = known.values[row]
        planes = torch.from_numpy(resize_planes(image, part.size))
        return planes, {name: torch.as_tensor(value) for name, value in truth.items()}


def _without_truth(known: Benchmark) -> dict[str, torch.Tensor]:
    truth = {"box": torch.full((4,), torch.nan),
             "landmarks": torch.full(known.landmarks.shape[1:], torch.nan)}  # fmt: skip
    if known.categories is not None:
        truth["category"] = torch.tensor(MISSING)
    if known.bits is not None:
        truth["has"] = torch.full((known.bits.count,), float(MISSING))
    if known.values is not None:
        truth["values"] = torch.full((len(known.groups),), MISSING)
    return truth


def clipped(box: np.ndarray, *, width: int, height: int) -> np.ndarray:
    """A box float32 (4,) with its corners in order, within the picture, a pixel at least."""
    x1, x2 = np.clip(np.sort(box[[0, 2]]), 0, width)
    y1, y2 = np.clip(np.sort(box[[1, 3]]), 0, height)
    x1, y1 = min(x1, width - 1), min(y1, height - 1)
    return np.array([x1, y1, max(x2, x1 + 1), max(y2, y1 + 1)], np.float32)


def changed(
    image: np.ndarray, box: np.ndarray, points: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A picture cut at its border, outside the garment's box, or grown there, and mirrored now and
    then."""
    height, width = image.shape[:2]
    room = np.array([box[0], box[1], width - box[2], height - box[3]])
    sides = np.array([width, height, width, height])
    most = np.clip(room, 0, MOST_CUT * sides)
    left, top, right, bottom = np.floor(rng.uniform(-MOST_ADDED * sides, most)).astype(int)
    image = image[max(top, 0) : height - max(bottom, 0), max(left, 0) : width - max(right, 0)]
    added = (max(-side, 0) for side in (top, bottom, left, right))
    image = cv2.copyMakeBorder(image, *added, cv2.BORDER_REPLICATE)
    box = box - np.float32((left, top, left, top))
    points = points - np.float32((left, top))
    if rng.random() < 0.5:
        width = image.shape[1]
        image = image[:, ::-1]
        box = np.float32((width - box[2], box[1], width - box[0], box[3]))
        if len(points):
            points = (points * np.float32((-1, 1)) + np.float32((width, 0)))[SWAPPED]
    return image, box, points
