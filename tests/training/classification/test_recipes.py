"""Recipes of classifiers."""

import dataclasses

import pytest

from training.classification.recipes import CLASSIFIERS
from training.common.augmentation import AUGMENTATIONS
from training.common.optimisation import SCHEDULES
from training.models.registry import MODELS


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_recipes_name_rows_of_the_tables(name):
    recipe = CLASSIFIERS[name]
    assert recipe.network in MODELS
    assert recipe.schedule in SCHEDULES
    assert {recipe.augment, recipe.last_augment} <= AUGMENTATIONS.keys()
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.lr = 1
