"""The garment that a picture is meant to show."""

import make
import numpy as np
import pytest

from preprocessing.images.class_maps import CLASSES, FIRST, Postprocessing
from preprocessing.labels import LAYERS
from training.classification.teaching import GarmentFinder

SIZE = 40


class Parser:
    """Finds a large top on the left and small trousers on the right, or nothing."""

    postprocessing = Postprocessing()

    def __init__(self, *, blind=False):
        self._blind = blind

    def __call__(self, image):
        classes = np.zeros((SIZE, SIZE), int)
        if not self._blind:
            classes[5:35, 2:20] = FIRST + LAYERS.index("top")
            classes[15:35, 25:37] = FIRST + LAYERS.index("trousers")
        return np.eye(len(CLASSES), dtype=np.float32)[classes].transpose(2, 0, 1)


@pytest.mark.parametrize(
    ("layer", "left"), [(None, True), ("top", True), ("trousers", False), ("bag", None)]
)
def test_the_largest_garment_of_the_layer_is_meant(layer, left):
    region = GarmentFinder(Parser(), layer)(np.zeros((400, 400, 3), np.uint8))
    assert (region is None) if left is None else (region.box[0] < 200) == left


def test_without_a_parsed_garment_it_is_what_contrasts_with_the_border():
    image = make.scene()
    region = GarmentFinder(Parser(blind=True))(image)
    x1, y1, x2, y2 = region.box
    assert 40 < x1 < 90 and 230 < x2 < 280 and 30 < y1 < 70 and 170 < y2 < 215


def test_a_plain_picture_is_the_garment():
    region = GarmentFinder(Parser(blind=True))(np.full((60, 80, 3), 90, np.uint8))
    assert region.box.tolist() == [0, 0, 80, 60]
