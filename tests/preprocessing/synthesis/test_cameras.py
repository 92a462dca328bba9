"""Cameras: each effect on its own, and the same look for every window of a scene."""

from dataclasses import replace

import numpy as np
import pytest

from preprocessing.synthesis.cameras import Camera, random_camera

PLAIN = Camera(np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2))


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(60, 200, (40, 50, 3), dtype=np.uint8)


def taken(camera, image, *, seed=0, view=None):
    view = np.eye(2, 3) if view is None else view
    return camera.photograph(image, view=view, size=(50, 40), seed=seed)


def test_a_plain_camera_changes_nothing(image):
    assert (taken(PLAIN, image) == image).all()


@pytest.mark.parametrize(
    "effect",
    [{"slope": (0.5, 0.0)}, {"noise": 9.0}, {"blur": 2.0}, {"smear": (9.0, 30.0)}, {"quality": 30}],
)
def test_each_effect_changes_a_copy(image, effect):
    before, camera = image.copy(), replace(PLAIN, **effect)
    first, again = taken(camera, image), taken(camera, image)
    assert first.shape == image.shape and first.dtype == np.uint8
    assert (first != image).any() and (first == again).all() and (image == before).all()


def test_light_falls_off_over_the_frame_not_over_the_window():
    grey, camera = np.full((40, 50, 3), 100, np.uint8), replace(PLAIN, slope=(0.6, 0.0))
    whole = taken(camera, grey)
    window = taken(camera, grey[:, 25:], view=np.array([[1.0, 0, -25], [0, 1.0, 0]]))
    assert np.abs(whole[:, 25:].astype(int) - window).max() <= 1
    assert whole[0, 0, 0] < 80 and whole[0, -1, 0] > 120


def test_random_cameras_are_of_all_kinds():
    rng = np.random.default_rng(0)
    cameras = [random_camera(rng) for _ in range(60)]
    for name in ("noise", "blur", "quality", "bend"):
        values = [getattr(camera, name) for camera in cameras]
        assert 0 in values and max(values) > 0
    assert cameras[0].table.shape == (1, 256, 3)
