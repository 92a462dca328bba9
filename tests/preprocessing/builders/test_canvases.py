"""Canvases as a data set: the same bytes for a seed, and no test garment in training."""

import json

import cv2
import photos
import pytest

from preprocessing.builders import canvases
from preprocessing.datasets import fashion_mnist
from preprocessing.datasets.yolo_layout import check_layout, read_layout
from preprocessing.errors import DataError

SIZE = 160


@pytest.fixture
def made(tmp_path):
    source = photos.folder(tmp_path / "photos")
    flags = ["--source", "photos", "--photos", str(source), "--count", "20", "--size", str(SIZE)]

    def make(name, *more):
        return canvases.main(["--out", str(tmp_path / name), *flags, *more])

    return make


def test_the_same_seed_gives_the_same_bytes(made, tmp_path):
    assert made("a") == made("b") == made("c", "--seed", "1") == 0
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*.*"))
    for path in files:
        assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes()
    name = "images/train/000003.jpg"
    assert (tmp_path / "a" / name).read_bytes() != (tmp_path / "c" / name).read_bytes()


def test_the_layout_is_one_that_passes_the_check(made, tmp_path):
    assert made("a") == 0 and made("a", "--split", "test") == 0
    layout = read_layout(tmp_path / "a" / "data.yaml")
    assert layout.names == tuple(sorted(photos.SHAPES))
    check_layout(layout, ("train", "val", "test"))
    assert [len(layout.images(split)) for split in ("train", "val", "test")] == [20, 2, 20]
    manifest = json.loads((tmp_path / "a" / "manifest-train.json").read_text())
    rows = (tmp_path / "a" / "objects-train.jsonl").read_text().splitlines()
    assert sum(manifest["garments"].values()) == len(rows) > 20
    assert cv2.imread(str(tmp_path / "a" / "sheet-train.png")) is not None


def test_training_never_sees_test_garments():
    try:
        fashion_mnist.find(download=False)
    except DataError as error:
        pytest.skip(str(error))
    materials = {
        split: canvases.open_materials(canvases.CanvasRecipe(split=split, size=SIZE))
        for split in canvases.SEED_OF_SPLIT
    }
    pictures = {split: {p.tobytes() for p in s.garments.pictures} for split, s in materials.items()}
    assert len(materials["train"].garments.pictures) == 54_000
    assert len(materials["test"].garments.pictures) == 10_000
    # The data set itself holds a few pictures twice.
    assert len(pictures["train"] & pictures["test"]) <= 12
    assert len(pictures["train"] & pictures["val"]) <= 60
    assert not set(materials["train"].backgrounds) & set(materials["test"].backgrounds)


@pytest.mark.parametrize(("flags", "status"), [(["--photos", ""], 2), (["--backgrounds", "x"], 8)])
def test_flags_that_do_not_fit(made, capsys, flags, status):
    assert made("a", *flags) == status
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("flags", [["--count", "0"], ["--size", "8"], ["--preset", "blue"]])
def test_values_out_of_range(made, capsys, flags):
    with pytest.raises(SystemExit) as stopped:
        made("a", *flags)
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert flags[0] in error and error.count("\n") == 1
