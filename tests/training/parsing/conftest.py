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
def photos(tmp_path_factory):
    return people.garments(tmp_path_factory.mktemp("garments"))


@pytest.fixture(scope="session")
def train(data, photos):
    """Trains a parser for an epoch of two batches: the command's exit status."""

    def command(out, *flags):
        small = ["--image-size", "64", "--batch-size", "4", "--images", "8", "--epochs", "1"]
        where = ["--data", str(data), "--photos", str(photos), "--out", str(out)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(PARSERS, "parser", replace(PARSERS["parser"], validation_images=4))
            return fit.main(["--model", "parser", *where, *small, *flags])

    return command


@pytest.fixture(scope="session")
def run(train, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "small"
    assert train(folder) == 0
    return folder
