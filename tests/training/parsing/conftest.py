"""A small data set and a run of a parser on it."""

from dataclasses import replace

import people
import pytest

from training import fit
from training.parsing.settings import PARSERS


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    return people.folder(tmp_path_factory.mktemp("people") / "parsed")


@pytest.fixture(scope="session")
def train(data):
    """Trains a parser for an epoch of two batches: the command's exit status."""

    def command(out, *flags):
        small = ["--image-size", "64", "--batch-size", "4", "--epochs", "1"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(PARSERS, "parser", replace(PARSERS["parser"], images=8))
            return fit.main(
                ["--model", "parser", "--data", str(data), "--out", str(out), *small, *flags]
            )

    return command


@pytest.fixture(scope="session")
def run(train, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "small"
    assert train(folder) == 0
    return folder
