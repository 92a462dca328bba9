"""Fixtures that several tests of training have in common."""

import pytest

from preprocessing.datasets import fashion_mnist
from preprocessing.errors import DataError
from training import export, fit


@pytest.fixture(scope="module")
def no_worker():
    """Pictures are read by the test's own process: a few small ones are, before others start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.common.subsets.WORKERS", 0)
        yield


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """A folder with a published `baseline` and, in runs/, its run and the index."""
    try:
        fashion_mnist.find(download=False)
    except DataError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("published")
    run = folder / "runs" / "baseline"
    flags = ["--limit-train", "512", "--limit-test", "100", "--batch-size", "64", "--epochs", "1"]
    assert fit.main(["--model", "baseline", "--out", str(run), *flags]) == 0
    assert export.main([str(run), "--out", str(folder), "--precision", "single"]) == 0
    return folder
