"""Batches of composed views: shapes, as many pixels in each, the same ones for an epoch."""

from dataclasses import replace

import pytest

from preprocessing.synthesis.people.materials import MaterialFolders, read_materials
from preprocessing.synthesis.people.views import OTHER_PERSON
from training.parsing.settings import PARSERS
from training.parsing.views import training_batches, validation_batches

RECIPE = replace(PARSERS["parser"], size=96, batch_size=4, images=24, validation_images=8)


@pytest.fixture(scope="module")
def materials(data, photos):
    return read_materials(MaterialFolders(parsed=data, photos=photos), seed=0)


def test_batches_of_an_epoch(materials):
    batches = training_batches(materials["training"], RECIPE, 3)
    found = list(batches)
    assert len(found) == len(batches) == 6
    for images, classes in found:
        number, height, width = classes.shape
        assert images.shape == (number, 3, height, width)
        assert number == max(1, 4 * 96 * 64 // (height * width))
        assert classes.max() <= OTHER_PERSON
    first, again = found[0][0], next(iter(batches))[0]
    batches.epoch[0] = 1
    other = next(iter(batches))[0]
    assert (first == again).all() and (first.shape != other.shape or (first != other).any())


def test_validation_shows_the_same_crops_always(materials):
    batches = validation_batches(materials["validation"], RECIPE)
    (first, *rest), (again, *_) = list(batches), list(batches)
    assert len(rest) == 1 and (first[0] == again[0]).all()
