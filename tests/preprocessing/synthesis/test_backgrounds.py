"""Backgrounds, drawn and cropped."""

import cv2
import numpy as np

from preprocessing.synthesis.cutouts import BACKGROUNDS, UNSEEN, Patches, random_background


def test_grounds_are_pictures_and_test_grounds_are_their_own():
    for draw in BACKGROUNDS.values():
        image = draw((50, 40), np.random.default_rng(0), (120, 130, 140))
        assert image.shape == (40, 50, 3) and image.dtype == np.uint8
    assert set(UNSEEN) < BACKGROUNDS.keys()


def test_patches_are_crops_of_pictures(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((60, 80, 3), (10, 20, 30), np.uint8))
    patches = Patches([tmp_path / "a.png"])
    image = patches((50, 40), np.random.default_rng(0), (0, 0, 0))
    assert image.shape == (40, 50, 3) and (image == (10, 20, 30)).all()


def test_half_of_the_random_backgrounds_are_patches(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((60, 80, 3), (10, 20, 30), np.uint8))
    rng, patches = np.random.default_rng(0), Patches([tmp_path / "a.png"])
    images = [random_background(patches, 16, rng) for _ in range(60)]
    assert 20 < sum((image == (10, 20, 30)).all() for image in images) < 40
    assert random_background(None, 16, rng).shape == (16, 16, 3)
