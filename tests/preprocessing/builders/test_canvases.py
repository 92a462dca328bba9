"""Canvases: exact boxes, the same bytes for a seed, and nothing of the test set in training."""

import json

import cv2
import numpy as np
import photos
import pytest

from preprocessing.builders import canvases
from preprocessing.datasets import fashion_mnist
from preprocessing.datasets.yolo_layout import check_layout, label_path, read_boxes, read_layout
from preprocessing.errors import DataError
from preprocessing.synthesis.backgrounds import BACKGROUNDS, UNSEEN
from preprocessing.synthesis.compose import (
    MIN_INSIDE,
    MIN_VISIBLE,
    Cutout,
    PhotoGarments,
    compose,
    green_canvas,
)

SIZE = 160


def square(label=3):
    """A garment that is a filled square, so that its box is known."""
    image = np.full((40, 40, 3), 255, np.uint8)
    return PhotoGarments([Cutout(image, np.full((40, 40), 255, np.uint8), label)])


def black(size, rng, colour):
    return np.zeros((size[1], size[0], 3), np.uint8)


def test_a_centred_garment_has_an_exact_box():
    canvas = green_canvas(np.random.default_rng(0), 90, square())
    assert [garment.label for garment in canvas.garments] == [3]
    assert np.abs(canvas.garments[0].box - [30, 30, 60, 60]).max() <= 1


def test_boxes_hold_what_is_visible_and_stay_inside():
    counts = []
    for seed in range(60):
        canvas = compose(np.random.default_rng(seed), SIZE, square(), [black])
        counts.append(len(canvas.garments))
        for garment in canvas.garments:
            x1, y1, x2, y2 = garment.box
            assert 0 <= x1 < x2 <= SIZE and 0 <= y1 < y2 <= SIZE
            assert garment.inside >= MIN_INSIDE
            assert MIN_VISIBLE <= garment.visible <= 1
    assert min(counts) == 0 and max(counts) >= 6


def test_grounds_are_pictures_and_test_grounds_are_their_own():
    for draw in BACKGROUNDS.values():
        image = draw((50, 40), np.random.default_rng(0), (120, 130, 140))
        assert image.shape == (40, 50, 3) and image.dtype == np.uint8
    assert set(UNSEEN) < BACKGROUNDS.keys()


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


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("0 0.5 0.5 0.2\n", "wanted id, x, y, width, height"),
        ("0 0.5 0.5 0.2 many\n", "wanted id"),
        ("9 0.5 0.5 0.2 0.2\n", "class 9 is not within 0 to 2"),
        ("0 0.95 0.5 0.2 0.2\n", "outside the image"),
        ("0 0.5 0.5 -0.2 0.2\n", "outside the image or empty"),
        ("0 0.5 nan 0.2 0.2\n", "wanted id"),
    ],
)
def test_broken_labels_are_named(made, tmp_path, rows, said):
    assert made("a") == 0
    layout = read_layout(tmp_path / "a" / "data.yaml")
    image = layout.images("train")[4]
    label_path(image).write_text(rows)
    with pytest.raises(DataError, match=said):
        check_layout(layout, ("train",))


def test_missing_labels_and_empty_yaml_are_named(made, tmp_path):
    assert made("a") == 0
    layout = read_layout(tmp_path / "a" / "data.yaml")
    image = layout.images("train")[0]
    label_path(image).unlink()
    with pytest.raises(DataError, match="no label file"):
        read_boxes(image, classes=3)
    (tmp_path / "a" / "data.yaml").write_text("")
    with pytest.raises(DataError, match="empty"):
        read_layout(tmp_path / "a" / "data.yaml")


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


def test_a_split_may_have_several_folders(made, tmp_path):
    assert made("a") == made("b", "--seed", "1") == 0
    names = (tmp_path / "a" / "data.yaml").read_text().partition("names:")[2]
    both = tmp_path / "both.yaml"
    both.write_text(f"train: [a/images/train, b/images/train]\nval: a/images/val\nnames:{names}")
    layout = read_layout(both)
    check_layout(layout, ("train", "val"))
    assert [path.parts[-4] for path in layout.images("train")] == ["a"] * 20 + ["b"] * 20
    both.write_text(both.read_text().replace("b/images", "c/images"))
    with pytest.raises(DataError, match=r"no images in .*c/images/train"):
        read_layout(both).images("train")
