"""Crops of worn garments out of composed scenes: their classes, what is shown, and the index."""

import csv

import cv2
import numpy as np
import people
import pytest

from preprocessing.builders import composed_garments
from preprocessing.builders.composed_crops import GarmentComposer
from preprocessing.builders.composed_garments import labelled_people, layer_labels
from preprocessing.images.class_maps import FIRST
from preprocessing.labels import LAYERS, OTHER
from preprocessing.synthesis.cameras import random_camera
from preprocessing.synthesis.people.rendering import Item, Scene
from preprocessing.synthesis.people.scenes import Materials
from preprocessing.synthesis.people.sprites import Sprite

TOP = FIRST + LAYERS.index("top")


class Drawn:
    """A person in a bright T-shirt, whose colour is nowhere else."""

    def __init__(self, labels):
        image, classes = np.full((200, 80, 3), 60, np.uint8), np.zeros((200, 80), np.uint8)
        classes[10:190, 20:60] = 1
        classes[50:110, 20:60] = TOP
        image[classes == TOP] = (30, 220, 240)
        image[50:110:4][classes[50:110:4] == TOP] = (20, 120, 140)
        self._sprite = Sprite(image, classes, labels=labels)

    def read(self):
        return self._sprite


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["coat", "skin", "jeans"], {"outer": "outwear", "trousers": "pants"}),
        (["coat", "jacket", "shirt", "t-shirt"], {"outer": "outwear"}),  # of two tops none is known
        (["top", "skirt"], {"skirt": "skirt"}),  # any top
        (["top", "shirt", "bag", "shoes"], {"shoes": "shoes"}),
        (["suit", "shirt"], {}),
        ([], {}),
    ],
)
def test_layers_with_one_class_are_known(names, labels):
    assert layer_labels(names) == labels


def _composer(labels, seed=0):
    garments = [Drawn({})]
    return GarmentComposer(Materials([Drawn(labels)], garments), np.random.default_rng(seed))


def _crops(*, scale, top, size=(640, 480), labels=(("top", "t-shirt"),)):
    """The crops of one person, 200 pixels high times `scale`, whose sprite begins at row `top`."""
    camera = random_camera(np.random.default_rng(0))
    place = np.array([[scale, 0, 200], [0, scale, top]])
    scene = Scene(size, camera, items=[Item(Drawn(dict(labels)).read(), place, True)])
    return list(_composer({}).of(scene))


def test_garments_in_view_are_cropped_to_a_square():
    (crop,) = _crops(scale=2, top=40)  # 80 wide and 120 high, with a tenth of that around it
    assert crop.label == "t-shirt"
    assert crop.image.shape[:2] == pytest.approx((144, 144), rel=0.15)
    (near,) = _crops(scale=5, top=-40)
    assert max(near.image.shape) == 256


@pytest.mark.parametrize(
    ("scale", "top"),
    [
        (4, 200),  # 80 of its 240 rows are in the picture
        (0.4, 100),  # 24 pixels high
        (4, 500),  # below the picture
    ],
)
def test_garments_out_of_view_are_left_out(scale, top):
    assert not _crops(scale=scale, top=top)


def test_unknown_classes_give_no_crop():
    assert not _crops(scale=2, top=40, labels=(("trousers", "pants"),))


def test_squares_without_garments_are_others():
    composer = _composer({})
    found = [next(iter(composer)) for _ in range(2)]
    assert {crop.label for crop in found} == {OTHER}


def test_crops_are_written_by_split_and_listed(tmp_path, capsys):
    parsed, photos = people.folder(tmp_path / "parsed"), people.garments(tmp_path, count=4)
    rows = list(csv.DictReader(photos.open()))
    with photos.open("w") as file:
        file.write("path,label,group,split\n")
        for row, split in zip(rows, ("training", "training", "validation", "test"), strict=True):
            file.write(f"{row['path']},{row['label']},{row['group']},{split}\n")
    flags = ["--parsed", str(parsed), "--photos", str(photos), "--count", "22"]
    flags += ["--beside", str(photos)]
    assert composed_garments.main([*flags, "--out", str(tmp_path / "out")]) == 0
    index = list(csv.DictReader((tmp_path / "out" / "index.csv").open()))
    made = [row for row in index if "garments/" not in row["path"]]
    assert len(index) == 28 and [row["split"] for row in made].count("validation") == 2
    assert {row["label"] for row in made} <= {"t-shirt", "pants", OTHER}
    assert all(cv2.imread(row["path"]) is not None for row in made)
    assert "training: " in capsys.readouterr().out


def test_people_of_validation_are_others(tmp_path):
    parsed = people.folder(tmp_path / "parsed")
    settings = composed_garments.ComposedGarmentSettings(
        parsed=parsed, photos=tmp_path / "none.csv", out=tmp_path
    )
    found = labelled_people(settings)
    paths = {split: {one.photo.photo.path for one in some} for split, some in found.items()}
    assert len(paths["training"]) == 13 and len(paths["validation"]) == 1
    assert not paths["training"] & paths["validation"]
    assert found["training"][0].labels == {"top": "t-shirt", "trousers": "pants"}


def test_pseudo_labels_need_tags(tmp_path, capsys):
    flags = ["--parsed", str(tmp_path), "--photos", str(tmp_path), "--out", str(tmp_path)]
    assert composed_garments.main([*flags, "--pseudo", str(tmp_path)]) == 2
    assert "--tags" in capsys.readouterr().err


def test_the_seed_decides():
    first, again, other = (
        next(iter(_composer({"top": "t-shirt"}, seed))).image for seed in (3, 3, 4)
    )
    assert first.shape == again.shape and (first == again).all()
    assert first.shape != other.shape or (first != other).any()
