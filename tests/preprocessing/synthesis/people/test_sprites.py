"""Sprites: what of a picture is cut out, and photos of single garments as such."""

import cv2
import numpy as np

from preprocessing.datasets.masked_photos import ComputedMask
from preprocessing.datasets.samples_and_splits import Sample
from preprocessing.images.class_maps import FIRST, UNKNOWN_PIXEL
from preprocessing.labels import LAYERS
from preprocessing.synthesis.people.sprites import PhotoSprite, Sprite, grabcut_masks

TOP = FIRST + LAYERS.index("top")


def picture():
    """A person of 20 by 60 pixels, a speck, and an unknown patch beside the person."""
    classes = np.zeros((100, 80), np.uint8)
    classes[20:80, 30:50] = TOP
    classes[20:40, 50:60] = UNKNOWN_PIXEL
    classes[2:6, 2:6] = 1
    return np.full((100, 80, 3), 90, np.uint8), classes


def test_of_masks_by_hand_everything_is_cut_out():
    sprite = Sprite(*picture())
    assert sprite.box == (2, 2, 58, 78)
    assert sprite.cover[50, 40] == 255 and sprite.cover[50, 70] == 0
    assert 0 < sprite.cover[50, 30] < 255  # soft at the edge


def test_of_computed_masks_the_largest_known_piece_is_cut_out():
    assert Sprite(*picture(), exact=False).box == (30, 20, 20, 60)


def test_levels_are_halved():
    image, classes, cover = Sprite(*picture()).level(2)
    assert image.shape == (25, 20, 3) and classes.shape == cover.shape == (25, 20)
    assert classes[12, 10] == TOP


def test_large_photos_are_scaled(tmp_path):
    image, classes = picture()
    cv2.imwrite(str(tmp_path / "a.png"), image)
    sprite = PhotoSprite(ComputedMask.of(tmp_path / "a.png", classes), side=50).read()
    assert sprite.image.shape == (50, 40, 3) and sprite.classes[25, 20] == TOP


def test_single_garments_are_masked(tmp_path):
    image = np.full((240, 200, 3), 235, np.uint8)
    cv2.rectangle(image, (50, 60), (150, 180), (40, 40, 160), cv2.FILLED)
    path = tmp_path / "shirt.png"
    cv2.imwrite(str(path), image)
    samples = [Sample(path, "t-shirt"), Sample(path, "no garment")]
    (photo,) = grabcut_masks(samples)
    _, classes = photo.read()
    assert classes[160, 130] == TOP and classes[10, 10] == 0
    assert grabcut_masks(samples, coverage=0.9) == []
