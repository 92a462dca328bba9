"""A small table and a run on it."""

import pytest
import tables
from small_backbone import NAME, small_backbone

from training import export, fit


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


@pytest.fixture(scope="session")
def published(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    with small_backbone():
        assert export.main([str(run), "--out", str(folder)]) == 0
    return folder


@pytest.fixture(autouse=True)
def small():
    with small_backbone():
        yield
