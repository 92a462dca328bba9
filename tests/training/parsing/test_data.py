"""Photos with classes: by hand, by pseudo-labels that boxes check, by GrabCut."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from preprocessing.builders.layer_boxes import LabelledPhoto
from preprocessing.datasets.samples_and_splits import Sample
from preprocessing.errors import DataError
from preprocessing.images.class_maps import CLASSES, FIRST, UNKNOWN_PIXEL
from preprocessing.labels import LAYERS
from training.parsing.data import (
    ComputedMask,
    classes_in_boxes,
    count_pixels,
    grabcut_masks,
    masked_photos,
)

TOP, TROUSERS, DRESS, BAG = (LAYERS.index(name) for name in ("top", "trousers", "dress", "bag"))


def test_photos_with_masks_by_split(data):
    photos = masked_photos(data)
    assert {split: len(found) for split, found in photos.items()} == {
        "training": 13, "validation": 1, "test": 2,
    }  # fmt: skip
    image, classes = photos["test"][0].read()
    assert image.shape == (*classes.shape, 3)
    assert set(np.unique(classes)) == {0, 1, FIRST + TOP, FIRST + TROUSERS}
    counts = count_pixels(photos["training"])
    assert counts.shape == (len(CLASSES),) and counts[FIRST + TOP] > counts[1] > 0


def test_a_mask_of_another_size_is_refused(data, tmp_path):
    (photo, *_) = masked_photos(data)["training"]
    mask = tmp_path / "mask.png"
    cv2.imwrite(str(mask), np.zeros((3, 4), np.uint8))
    object.__setattr__(photo.photo, "mask_path", mask)
    with pytest.raises(DataError, match="is 4x3, its photo 96x160: wanted the same"):
        photo.read()


def test_a_folder_needs_photos_to_validate_on(data, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "labels.csv").write_text("id,name\n0,null\n")
    cv2.imwrite(str(tmp_path / "photos" / "street.jpg"), np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(DataError, match="too few photos"):
        masked_photos(tmp_path)


def test_boxes_check_pseudo_labels():
    likely = np.zeros((len(CLASSES), 80, 80), np.float32)
    likely[0] = 0.2
    likely[FIRST + TOP, 10:30, 10:30] = 0.3
    likely[FIRST + DRESS, 10:50, 10:30] = 0.4  # the photo has no dress
    boxes = np.array([[40, 40, 120, 120], [240, 240, 280, 280]], np.float32)
    photo = LabelledPhoto(Path("a.jpg"), "train", (TOP, BAG), boxes, 320, 320)
    classes = classes_in_boxes(likely, photo)
    assert classes.shape == (320, 320)
    assert (classes[45:115, 45:115] == FIRST + TOP).all()
    assert (classes[130:190, 50:110] == UNKNOWN_PIXEL).all()  # a garment of unknown layer
    assert (classes[245:275, 245:275] == UNKNOWN_PIXEL).all()  # a bag that was not predicted
    assert classes[300, 20] == 0


def test_computed_masks_come_with_photos_of_their_size(tmp_path):
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), np.full((60, 40, 3), 200, np.uint8))
    classes = np.arange(60, dtype=np.uint8).reshape(10, 6)
    image, read = ComputedMask.of(path, classes).read()
    assert image.shape == (10, 6, 3) and np.array_equal(read, classes)


def test_single_garments_are_masked(tmp_path):
    image = np.full((240, 200, 3), 235, np.uint8)
    cv2.rectangle(image, (50, 60), (150, 180), (40, 40, 160), cv2.FILLED)
    path = tmp_path / "shirt.png"
    cv2.imwrite(str(path), image)
    (photo,) = grabcut_masks([Sample(path, "t-shirt"), Sample(path, "no garment")])
    _, classes = photo.read()
    assert classes[160, 130] == FIRST + TOP and classes[10, 10] == 0
