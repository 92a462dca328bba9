"""Camera effects: each on its own, and the same for the same seed."""

import numpy as np
import pytest

from preprocessing.synthesis.camera_effects import add_camera_effects

NONE = {"blur": 0, "noise": 0, "compression": 0}


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 255, (40, 50, 3), dtype=np.uint8)


def test_without_effects_the_image_is_unchanged(image):
    assert (add_camera_effects(image, np.random.default_rng(0), **NONE) == image).all()


@pytest.mark.parametrize("effect", NONE)
def test_each_effect_changes_a_copy(image, effect):
    before = image.copy()
    found = [add_camera_effects(image, np.random.default_rng(1), **NONE | {effect: 1})
             for _ in range(2)]  # fmt: skip
    assert found[0].shape == image.shape and found[0].dtype == np.uint8
    assert (found[0] != image).any() and (found[0] == found[1]).all()
    assert (image == before).all()
