"""Recipes of detectors."""

from dataclasses import replace
from pathlib import Path

from training.detection.settings import DETECTORS
from training.inference.weights import STRIDE, WEIGHTS_DIR


def test_images_grow_during_the_training():
    recipe = replace(DETECTORS["yolo"], epochs=9, size=320, smaller=((128, 2 / 3), (224, 8 / 9)))
    assert [recipe.size_at(epoch) for epoch in range(10)] == [128] * 6 + [224] * 2 + [320] * 2
    assert replace(recipe, size=96).size_at(0) == 96
    assert replace(recipe, smaller=()).size_at(0) == 320


def test_recipes_are_whole():
    for recipe in DETECTORS.values():
        assert recipe.size % STRIDE == 0 and recipe.epochs > recipe.close_mosaic


def test_a_training_starts_from_committed_weights_or_from_a_file():
    recipe = DETECTORS["yolo-people"]
    assert recipe.start == WEIGHTS_DIR / "yolo-photo.onnx" and recipe.start.is_file()
    assert replace(recipe, pretrained="runs/a.onnx").start == Path("runs/a.onnx")
    assert replace(recipe, pretrained="none").start is None
