"""Subsets of a DeepFashion benchmark, and the baseline that predicts the same for every picture."""

from dataclasses import dataclass

import numpy as np

from preprocessing.datasets.deepfashion_benchmark import Benchmark, read_benchmark
from preprocessing.datasets.imputation import modes
from preprocessing.datasets.samples import SPLITS
from preprocessing.errors import DataError
from training.deepfashion.data import FashionDataset, FashionSubset
from training.deepfashion.network import Outputs
from training.deepfashion.settings import FashionFitSettings


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
