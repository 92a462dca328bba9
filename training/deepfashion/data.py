"""Subsets of a DeepFashion benchmark: pictures with all of their labels, as batches.

Also the baseline that predicts the same for every picture.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from preprocessing.datasets.attribute_table import MISSING
from preprocessing.datasets.deepfashion_benchmark import Benchmark, read_benchmark
from preprocessing.datasets.imputation import modes
from preprocessing.datasets.samples_and_splits import SPLITS
from preprocessing.errors import DataError
from preprocessing.images.pictures import read_picture
from preprocessing.images.regions import resize_planes
from training.common.subsets import PHOTO_BATCH, Sampling, batch_sampler, picture_loader
from training.deepfashion.network import Outputs
from training.deepfashion.settings import FashionFitSettings

MAX_CROP = 0.2  # of a side, that random crops remove, never of the garment's box
MAX_EXTENSION = 0.15  # of a side, by which the picture's border is replicated instead
MIRRORED = [1, 0, 3, 2, 5, 4, 7, 6]  # landmarks in a mirror: left ones are right ones

Labels = dict[str, torch.Tensor]
Batch = tuple[torch.Tensor, Labels]


@dataclass(frozen=True, eq=False)
class FashionSubset:
    """Some pictures of a benchmark.

    Attributes:
        rows: int (N,), their rows in the benchmark.
        size: side of the network's input in pixels.
    """

    benchmark: Benchmark
    rows: np.ndarray
    size: int

    def __len__(self) -> int:
        return len(self.rows)

    def loader(self, sampling: Sampling | None = None) -> DataLoader:
        """Batches of images uint8 (n, C, S, S) and labels: all in order, or drawn and augmented."""
        labels = torch.zeros(len(self.rows), dtype=torch.int64)  # one class: none is rare
        chosen = batch_sampler(labels, sampling, size=PHOTO_BATCH)
        return picture_loader(FashionDataset(self, augmented=sampling is not None), chosen)


class FashionDataset(Dataset[Batch]):
    """Single pictures of a subset with their labels, float32 and int64 tensors by name.

    They are box (4,) and landmarks (8, 2) as fractions of the sides (nan where absent), category
    (), has (A,) of 1, 0 and MISSING, and values (groups,). An unreadable picture is black, without
    labels.
    """

    def __init__(self, subset: FashionSubset, *, augmented: bool):
        self._subset, self._augmented = subset, augmented

    def __len__(self) -> int:
        return len(self._subset)

    def __getitem__(self, index: int) -> Batch:
        subset, row = self._subset, int(self._subset.rows[index])
        benchmark = subset.benchmark
        try:
            image = read_picture(benchmark.paths[row])
        except DataError:
            return torch.zeros(3, subset.size, subset.size, dtype=torch.uint8), unknown(benchmark)
        height, width = image.shape[:2]
        box = clip_box(benchmark.boxes[row], width=width, height=height)
        points = benchmark.landmarks[row]
        if self._augmented:
            rng = np.random.default_rng(int(torch.randint(2**31, ())))
            image, box, points = crop_and_mirror(image, box, points, rng)
        sides = np.array(image.shape[1::-1], np.float32)
        labels = {"box": (box.reshape(2, 2) / sides).ravel(), "landmarks": points / sides}
        if benchmark.categories is not None:
            labels["category"] = np.int64(benchmark.categories[row])
        if benchmark.bits is not None:
            labels["has"] = benchmark.bits.row(row).astype(np.float32)
        if benchmark.values is not None:
            labels["values"] = benchmark.values[row]
        planes = torch.from_numpy(resize_planes(image, subset.size))
        return planes, {name: torch.as_tensor(value) for name, value in labels.items()}


def unknown(benchmark: Benchmark) -> Labels:
    """Return the labels of a picture that cannot be read: all missing."""
    labels = {"box": torch.full((4,), torch.nan),
              "landmarks": torch.full(benchmark.landmarks.shape[1:], torch.nan)}  # fmt: skip
    if benchmark.categories is not None:
        labels["category"] = torch.tensor(MISSING)
    if benchmark.bits is not None:
        labels["has"] = torch.full((benchmark.bits.count,), float(MISSING))
    if benchmark.values is not None:
        labels["values"] = torch.full((len(benchmark.groups),), MISSING)
    return labels


def clip_box(box: np.ndarray, *, width: int, height: int) -> np.ndarray:
    """Return a box float32 (4,) with its corners in order, inside the picture, a pixel at least."""
    x1, x2 = np.clip(np.sort(box[[0, 2]]), 0, width)
    y1, y2 = np.clip(np.sort(box[[1, 3]]), 0, height)
    x1, y1 = min(x1, width - 1), min(y1, height - 1)
    return np.array([x1, y1, max(x2, x1 + 1), max(y2, y1 + 1)], np.float32)


def crop_and_mirror(
    image: np.ndarray, box: np.ndarray, points: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a picture cropped outside the garment's box, or extended, and mirrored every other
    time, with its box float32 (4,) and landmarks float32 (N, 2) in pixels.
    """
    height, width = image.shape[:2]
    room = np.array([box[0], box[1], width - box[2], height - box[3]])
    sides = np.array([width, height, width, height])
    most = np.clip(room, 0, MAX_CROP * sides)
    left, top, right, bottom = np.floor(rng.uniform(-MAX_EXTENSION * sides, most)).astype(int)
    image = image[max(top, 0) : height - max(bottom, 0), max(left, 0) : width - max(right, 0)]
    image = cv2.copyMakeBorder(image, max(-top, 0), max(-bottom, 0), max(-left, 0), max(-right, 0),
                               cv2.BORDER_REPLICATE)  # fmt: skip
    box = box - np.array((left, top, left, top), np.float32)
    points = points - np.array((left, top), np.float32)
    if rng.random() < 0.5:
        width = image.shape[1]
        image = image[:, ::-1]
        box = np.array((width - box[2], box[1], width - box[0], box[3]), np.float32)
        if len(points):
            points = points * np.array((-1, 1), np.float32) + np.array((width, 0), np.float32)
            points = points[MIRRORED]
    return image, box, points


@dataclass(frozen=True, eq=False)
class FashionSplits:
    """A benchmark ready for training.

    Attributes:
        outputs: the parts that it has labels for.
        absent: pictures of the lists that are not there.
    """

    outputs: Outputs
    training: FashionSubset
    validation: FashionSubset
    test: FashionSubset
    absent: int


def open_splits(settings: FashionFitSettings) -> FashionSplits:
    """Open the official splits of a benchmark, of those pictures that are there.

    Raises:
        DataError: see `read_benchmark`, or fewer than two training pictures.
    """
    benchmark = read_benchmark(settings.data)
    present, splits = _present(benchmark), np.array(benchmark.splits)
    rows = {name: np.flatnonzero(present & (splits == name)) for name in SPLITS}
    if len(rows["training"]) < 2:
        raise DataError(f"{settings.data}: {len(rows['training'])} training pictures are there, "
                        "wanted 2 or more")  # fmt: skip
    if not len(rows["validation"]):
        rows["training"], rows["validation"] = _split_products(
            benchmark, rows["training"], fraction=settings.train_split, seed=settings.seed
        )
    size = settings.recipe.size
    subsets = {name: FashionSubset(benchmark, found, size) for name, found in rows.items()}
    return FashionSplits(Outputs.of(benchmark), **subsets, absent=int((~present).sum()))


def split_rows(benchmark: Benchmark, split: str) -> np.ndarray:
    """Return the rows of an official split whose pictures are there, int (N,)."""
    return np.flatnonzero(_present(benchmark) & (np.array(benchmark.splits) == split))


def _present(benchmark: Benchmark) -> np.ndarray:
    return np.array([path.is_file() for path in benchmark.paths], bool)


def _split_products(
    benchmark: Benchmark, rows: np.ndarray, *, fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train and to validate on; pictures in one product's folder stay together."""
    folders = np.array([str(benchmark.paths[row].parent) for row in rows])
    if len(set(folders)) == 1:  # no folder a product
        folders = np.array([str(benchmark.paths[row]) for row in rows])
    products, product = np.unique(folders, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(products))
    chosen = np.isin(product, order[: max(1, round(fraction * len(products)))])
    return rows[chosen], rows[~chosen]


BOX_SAMPLES = 400  # pictures whose boxes make the mean box


@dataclass(frozen=True, eq=False)
class Baseline:
    """The predictions that fit training best.

    Attributes:
        box: float (4,), the mean box, as fractions of the sides.
        modes: int (groups,), the most frequent class of each group.
    """

    box: np.ndarray
    modes: np.ndarray


def fit_baseline(training: FashionSubset) -> Baseline:
    """Return the baseline of a training subset."""
    pictures = FashionDataset(training, augmented=False)
    chosen = np.unique(np.linspace(0, len(training) - 1, BOX_SAMPLES).astype(int))
    boxes = np.stack([pictures[int(index)][1]["box"].numpy() for index in chosen])
    values = training.benchmark.values
    usual = np.zeros(0, int) if values is None else modes(values[training.rows])
    return Baseline(np.nanmean(boxes, axis=0), usual)
