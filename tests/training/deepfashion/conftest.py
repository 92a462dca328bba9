"""A miniature benchmark and a run on it."""

import fashion
import pytest
from small_backbone import NAME, published, small_backbone, uses_small_backbone  # noqa: F401

from preprocessing.datasets.deepfashion_benchmark import read_benchmark
from training import fit
from training.deepfashion.network import Outputs


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    return fashion.folder(tmp_path_factory.mktemp("benchmark"))


@pytest.fixture(scope="session")
def outputs(data):
    return Outputs.of(read_benchmark(data))


@pytest.fixture(scope="session")
def train(data):
    """Trains a network for an epoch: the command's exit status."""

    def command(out, *flags):
        small = ["--backbone", NAME, "--image-size", "32", "--epochs", "1"]
        small += ["--batch-size", "6", "--device", "cpu"]
        where = ["--data", str(data), "--out", str(out)]
        return fit.main(["--model", "deepfashion", *where, *small, *flags])

    return command


@pytest.fixture(scope="session")
def run(train, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "small"
    with pytest.MonkeyPatch.context() as patch, small_backbone():
        patch.setattr("training.common.subsets.WORKERS", 0)
        assert train(folder) == 0
    return folder
