"""Photos with classes: masks in files, and computed ones."""

import cv2
import numpy as np
import people
import pytest

from preprocessing.datasets.masked_photos import ComputedMask, masked_photos
from preprocessing.errors import DataError
from preprocessing.images.class_maps import FIRST
from preprocessing.labels import LAYERS

TOP, TROUSERS = (LAYERS.index(name) for name in ("top", "trousers"))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return people.folder(tmp_path_factory.mktemp("people") / "parsed")


def test_photos_with_masks_by_split(data):
    photos = masked_photos(data)
    assert {split: len(found) for split, found in photos.items()} == {
        "training": 13, "validation": 1, "test": 2,
    }  # fmt: skip
    image, classes = photos["test"][0].read()
    assert image.shape == (*classes.shape, 3)
    assert set(np.unique(classes)) == {0, 1, FIRST + TOP, FIRST + TROUSERS}


def test_a_mask_of_another_size_is_refused(data, tmp_path):
    (photo, *_) = masked_photos(data)["training"]
    mask = tmp_path / "mask.png"
    cv2.imwrite(str(mask), np.zeros((3, 4), np.uint8))
    object.__setattr__(photo.photo, "mask_path", mask)
    with pytest.raises(DataError, match="is 4x3, its photo 96x160: wanted the same"):
        photo.read()


def test_a_folder_needs_photos_to_validate_on(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "labels.csv").write_text("id,name\n0,null\n")
    cv2.imwrite(str(tmp_path / "photos" / "street.jpg"), np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(DataError, match="too few photos"):
        masked_photos(tmp_path)


def test_computed_masks_come_with_photos_of_their_size(tmp_path):
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), np.full((60, 40, 3), 200, np.uint8))
    classes = np.arange(60, dtype=np.uint8).reshape(10, 6)
    image, read = ComputedMask.of(path, classes).read()
    assert image.shape == (10, 6, 3) and np.array_equal(read, classes)
