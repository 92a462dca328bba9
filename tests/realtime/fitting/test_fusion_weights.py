"""How opinions are weighed: the better one more, and by its likelihood."""

import numpy as np
import pytest

from realtime.fitting.fusion_weights import Garment, fit, garments, judge

CLASSES = 3


def seen(rng, *, opinion_right, layers_right):
    """Garments of which two sources say something, each right as often as given."""
    found = []
    for _ in range(400):
        truth = int(rng.integers(CLASSES))

        def says(right, truth=truth):
            name = truth if rng.random() < right else (truth + int(rng.integers(1, 3))) % CLASSES
            chances = np.full(CLASSES, 0.1, np.float32)
            chances[name] = 0.8
            return np.log(chances)

        silent = np.zeros(CLASSES, np.float32)
        found.append(Garment(says(opinion_right), says(layers_right), silent, truth, worn=False))
    return found


@pytest.mark.parametrize(("opinion", "layers"), [(0.9, 0.4), (0.4, 0.9)])
def test_the_better_opinion_weighs_more(opinion, layers):
    found = seen(np.random.default_rng(0), opinion_right=opinion, layers_right=layers)
    powers = fit(found)
    assert (powers[0] > 2 * powers[1]) == (opinion > layers)
    loss, right = judge(found, powers)
    assert loss < judge(found, (1.0, 1.0))[0] and right == pytest.approx(0.9, abs=0.05)


def test_a_picture_without_regions_says_nothing():
    class Names:
        class info:
            classes = ("t-shirt",)

    image = np.zeros((8, 8, 3), np.uint8)
    assert garments([(image, [("t-shirt", None)])], lambda image: [], Names()) == []
