"""Names of colours: generated garments in five lights, and what cannot be a garment's colour."""

import numpy as np
import pytest

from preprocessing.images.colours import FAMILIES, colour_name, illuminant_gains
from preprocessing.images.regions import Region
from preprocessing.synthesis.cutouts import boards, clutter, plain

CLOTHS = {  # RGB
    "black": (25, 25, 25), "grey": (128, 128, 130), "white": (238, 238, 235),
    "beige": (222, 200, 165), "brown": (105, 65, 35), "red": (190, 25, 35),
    "orange": (240, 130, 30), "yellow": (240, 215, 50), "green": (40, 120, 60),
    "teal": (15, 135, 135), "blue": (50, 100, 200), "navy": (25, 30, 80),
    "purple": (110, 50, 140), "pink": (245, 150, 180),
}  # fmt: skip
LIGHTS = {  # linear red, green and blue
    "daylight": (1, 1, 1), "bulb": (1.35, 1, 0.48), "horizon": (1.08, 1, 0.85),
    "overcast": (0.95, 1, 1.12), "tube": (1.12, 1, 0.7),
}  # fmt: skip


def scene(name: str, light: str, seed: int) -> tuple[np.ndarray, Region]:
    """A garment with folds before a room with a white thing in it, in a light; where it is."""
    rng = np.random.default_rng(seed)
    tone = (int(rng.integers(90, 200)),) * 3
    image = (clutter, plain, boards)[seed % 3]((320, 240), rng, tone)
    image[20:60, 20:80] = 245
    cloth = np.array(CLOTHS[name][::-1]) * rng.uniform(0.9, 1.1)
    folds = 1 + 0.18 * np.sin(np.arange(100) / 9)[None, :, None]
    image[80:200, 120:220] = np.clip(cloth * (folds + rng.normal(0, 0.03, (120, 100, 1))), 0, 255)
    exposure = 2 ** rng.uniform(-0.7, 0.5)
    linear = (image / 255) ** 2.2 * np.array(LIGHTS[light][::-1]) * exposure
    mask = np.full((120, 100), 255, np.uint8)
    garment = Region(np.float32((120, 80, 220, 200)), mask)
    seen = (255 * np.clip(linear, 0, 1) ** (1 / 2.2)).astype(np.uint8)
    return seen, garment


def test_names_hold_in_five_lights():
    right = []
    for name in CLOTHS:
        for light in LIGHTS:
            for seed in range(4):
                image, garment = scene(name, light, seed=100 + seed)
                pixels = image[80:200, 120:220].reshape(-1, 3)
                right.append(colour_name(pixels, illuminant_gains(image, [garment])) == name)
    assert np.mean(right) >= 0.95


@pytest.mark.parametrize("name", CLOTHS)
def test_names_in_plain_light(name):
    assert name in FAMILIES
    pixels = np.full((50, 3), CLOTHS[name][::-1], np.uint8)
    assert colour_name(pixels, np.ones(3, np.float32)) == name


def test_the_larger_part_gives_the_name():
    red, blue = CLOTHS["red"][::-1], CLOTHS["blue"][::-1]
    pixels = np.array([red] * 70 + [blue] * 30, np.uint8)
    assert colour_name(pixels, np.ones(3, np.float32)) == "red"
    assert colour_name(pixels[:1], np.ones(3, np.float32)) == "red"


@pytest.mark.parametrize("level", [0, 255])
def test_a_frame_without_light_or_shade_has_finite_gains(level):
    assert np.isfinite(illuminant_gains(np.full((40, 40, 3), level, np.uint8))).all()
