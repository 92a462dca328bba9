"""A small table and a run on it."""

import pytest
import tables
from small_backbone import NAME, published, small_backbone, uses_small_backbone  # noqa: F401

from training import fit


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    return tables.folder(tmp_path_factory.mktemp("table") / "set")


@pytest.fixture(scope="session")
def train(data):
    """Trains a model of attributes for an epoch: the command's exit status."""

    def command(out, *flags):
        small = ["--backbone", NAME, "--image-size", "32", "--epochs", "1"]
        small += ["--batch-size", "8", "--device", "cpu"]
        where = [*tables.flags(data), "--out", str(out)]
        return fit.main(["--model", "attributes", *where, *small, *flags])

    return command


@pytest.fixture(scope="session")
def run(train, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "small"
    with pytest.MonkeyPatch.context() as patch, small_backbone():
        patch.setattr("training.common.subsets.WORKERS", 0)
        assert train(folder, "--catch-all", "shape=square") == 0
    return folder
