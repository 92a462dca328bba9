"""The split of a table by products, and its missing values."""

import dataclasses

import pytest
from tables import PRODUCTS

from preprocessing.datasets.attribute_table import MISSING, read_table
from preprocessing.errors import DataError
from training.attributes.data import split_products, split_table
from training.attributes.settings import ATTRIBUTE_MODELS

RECIPE = dataclasses.replace(ATTRIBUTE_MODELS["attributes"], size=32)


def test_products_stay_on_one_side(data):
    table = read_table(data / "table.csv")
    training, validation = split_products(table, fraction=0.75, seed=0)
    assert sorted([*training.names, *validation.names]) == sorted(table.names)
    sides = [set(part.groups) for part in (training, validation)]
    assert not sides[0] & sides[1] and len(sides[0]) == round(0.75 * (PRODUCTS + 1))
    with pytest.raises(DataError, match="one product"):
        split_products(table.take([0, 1]), fraction=0.5, seed=0)


@pytest.mark.parametrize("missing", ["mask", "class", "mode", "conditional", "drop"])
def test_missing_values_of_training_alone_are_imputed(data, missing):
    recipe = dataclasses.replace(RECIPE, missing=missing)
    splits = split_table(read_table(data / "table.csv"), data / "images", recipe, seed=0)
    gaps = (splits.training.labels == MISSING).any()
    assert gaps == (missing in ("mask", "drop"))
    assert (splits.validation.labels == MISSING).any()
    assert len(splits.attributes[1]) == (3 if missing == "class" else 2)
    assert splits.absent == ("absent-1.png",)


def test_a_limit_trains_and_validates_on_the_same_pictures(data):
    table = read_table(data / "table.csv")
    splits = split_table(table, data / "images", RECIPE, seed=0, limit=6)
    assert len(splits.training) == len(splits.validation) == 6


def test_pictures_that_are_elsewhere_are_refused(data, tmp_path):
    with pytest.raises(DataError, match="0 of the table's 33 pictures"):
        split_table(read_table(data / "table.csv"), tmp_path, RECIPE, seed=0)
