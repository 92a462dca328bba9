"""Views: photos and their classes, transformed together."""

import cv2
import numpy as np
from people import COLOURS, person

from preprocessing.images.class_maps import UNKNOWN_PIXEL
from training.parsing.data import masked_photos
from training.parsing.settings import PARSERS
from training.parsing.views import (
    RandomViews,
    ViewSources,
    random_view,
    replace_background,
    whole_view,
)


def test_a_view_and_its_classes_stay_together():
    rng = np.random.default_rng(1)
    image, mask = person(rng)
    for _ in range(20):
        view, classes = random_view(image, mask, rng, size=64)
        assert view.shape == (64, 64, 3) and classes.shape == (64, 64)
        inner = cv2.erode((classes == 2).astype(np.uint8), np.ones((5, 5))).astype(bool)
        if inner.any():  # the mask's top is red
            assert np.abs(view[inner].mean(axis=0) - COLOURS[2]).max() < 25


def test_another_background_leaves_people_as_they_are():
    rng = np.random.default_rng(2)
    image, mask = person(rng, size=(160, 160))
    mask[:, :4] = UNKNOWN_PIXEL
    before = mask.copy()
    view = replace_background(image, mask, np.full((160, 160, 3), 90, np.uint8))
    body = cv2.erode((before == 2).astype(np.uint8), np.ones((9, 9))).astype(bool)
    assert np.abs(view[body].astype(int) - image[body]).max() <= 2
    assert (mask[:, :4] == 0).all()  # pixels outside the photo are background now


def test_a_whole_photo_is_padded_with_unknown_pixels():
    image, mask = person(np.random.default_rng(3))
    view, classes = whole_view(image, mask, size=64)
    assert view.shape == (64, 64, 3)
    assert (classes[:, 38:] == UNKNOWN_PIXEL).all() and (classes[:, :38] != UNKNOWN_PIXEL).all()


def test_every_epoch_has_its_own_views(data):
    sources = ViewSources(masked_photos(data)["training"])
    views = RandomViews(sources, PARSERS["parser"], seed=3)
    first, again = views[0], views[0]
    views.epoch[0] = 1
    other = views[0]
    assert first[0].shape == (3, 256, 256) and first[1].shape == (256, 256)
    assert (first[0] == again[0]).all() and not (first[0] == other[0]).all()
