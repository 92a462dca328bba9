"""Cut-outs of Fashion-MNIST and of photos, tinted and pasted."""

import cv2
import make
import numpy as np
import pytest

from preprocessing.synthesis.cutouts import (
    BACKGROUNDS,
    UNSEEN,
    Patches,
    cut_out,
    grabcut_photo,
    paste,
    random_background,
    tinted,
)


def test_a_cut_out_covers_the_garment_and_negates_it():
    picture = np.zeros((28, 28), np.uint8)
    cv2.ellipse(picture, (14, 14), (8, 12), 0, 0, 360, 200, cv2.FILLED)
    grey, mask = cut_out(picture, 160)
    assert grey.shape == mask.shape == (160, 160)
    assert abs(int(grey[80, 80]) - 55) <= 2 and mask[80, 80] == 255 and mask[2, 2] == 0
    assert grey[mask > 127].max() < 75  # no bright rim


def test_a_tint_keeps_the_brightness():
    grey = np.full((4, 4), 120, np.uint8)
    image = tinted(grey, hue=0.6, saturation=0.4)
    assert cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).mean() == pytest.approx(120, abs=2)
    assert image[0, 0, 0] > image[0, 0, 2]  # blue
    # No saturated blue is that bright: the image becomes darker, its shades stay distinct.
    shades = tinted(np.array([[100, 250]], np.uint8), hue=2 / 3, saturation=1)
    assert shades.max() <= 255 and int(shades[0, 1, 0]) > 2 * int(shades[0, 0, 0])


def test_paste_gives_the_visible_region():
    scene = np.zeros((60, 80, 3), np.uint8)
    garment, mask = np.full((20, 10, 3), 200, np.uint8), np.full((20, 10), 255, np.uint8)
    region = paste(scene, garment, mask, centre=(40, 30))
    assert np.abs(region.box - [35, 20, 45, 40]).max() <= 1
    assert (scene[30, 40] == 200).all() and not scene[5, 5].any()
    assert paste(scene, garment, mask, centre=(500, 30)) is None


def test_the_largest_garment_of_a_photo(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), make.scene(640, 480))
    image, region = grabcut_photo(tmp_path / "a.png", 320)
    assert image.shape == (240, 320, 3) and region is not None
    cv2.imwrite(str(tmp_path / "b.png"), np.full((480, 640, 3), 90, np.uint8))
    assert grabcut_photo(tmp_path / "b.png", 320)[1] is None


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
