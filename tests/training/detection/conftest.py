"""Small canvases with boxes, and a run of a detector on them."""

import photos
import pytest

from preprocessing.builders import canvases
from training import fit

SIDE = 96


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("canvases")
    source = photos.folder(folder / "photos")
    flags = ["--source", "photos", "--photos", str(source), "--size", str(SIDE)]
    assert canvases.main(["--out", str(folder / "boxes"), "--count", "24", *flags]) == 0
    return folder / "boxes" / "data.yaml"


@pytest.fixture(scope="session")
def train(data):
    """Trains a detector for an epoch: the command's exit status."""
    pytest.importorskip("training.detection.yolo", reason="ultralytics is not installed")

    def command(out, *flags, data=data):
        small = ["--epochs", "1", "--batch-size", "8", "--image-size", str(SIDE)]
        where = ["--data", str(data), "--out", str(out)]
        return fit.main(["--model", "yolo", *where, *small, *flags])

    return command


@pytest.fixture(scope="session")
def run(train, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "small"
    assert train(folder) == 0
    return folder
