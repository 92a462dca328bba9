"""Recipes of detectors."""

from dataclasses import replace

from training.detection.settings import DETECTORS
from training.inference.weights import STRIDE


def test_images_grow_during_the_training():
    recipe = replace(DETECTORS["yolo"], epochs=9, size=320, smaller=((128, 2 / 3), (224, 8 / 9)))
    assert [recipe.size_at(epoch) for epoch in range(10)] == [128] * 6 + [224] * 2 + [320] * 2
    assert replace(recipe, size=96).size_at(0) == 96
    assert replace(recipe, smaller=()).size_at(0) == 320


def test_recipes_are_whole():
    for recipe in DETECTORS.values():
        assert recipe.size % STRIDE == 0 and recipe.epochs > recipe.close_mosaic
