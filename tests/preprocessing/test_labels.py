"""The taxonomy: its maps are views of one table and agree with each other."""

import pytest

from preprocessing import labels
from preprocessing.datasets.fashion_mnist import CLASSES
from preprocessing.labels import (
    BODY_PART,
    BOX_CLASS,
    BOX_LAYER,
    CLASS_OF,
    GARMENT,
    GARMENT_CLASSES,
    GENERAL_NAME,
    IGNORED,
    LAYERS,
    MASK_AMBIGUOUS,
    MASK_CLASS,
    MASK_LAYER,
    PHOTO_CLASS,
    PHOTO_FASHION_MNIST,
    PHOTO_LAYER,
    general_names,
)


def test_classes_have_layers_and_classes_of_fashion_mnist():
    for row in GARMENT_CLASSES.values():
        assert row.layer in LAYERS and set(row.fashion_mnist) <= set(CLASSES)
    assert {row.layer for row in GARMENT_CLASSES.values()} == set(LAYERS)


@pytest.mark.parametrize("column", ["photos", "masks", "boxes", "fashion_mnist"])
def test_a_label_means_one_class(column):
    names = [label for row in GARMENT_CLASSES.values() for label in getattr(row, column)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("source", ["PHOTO", "MASK", "BOX"])
def test_the_layer_of_a_label_is_that_of_its_class(source):
    layers = getattr(labels, f"{source}_LAYER")
    for label, name in getattr(labels, f"{source}_CLASS").items():
        assert layers[label] == GARMENT_CLASSES[name].layer
    assert set(layers.values()) <= {*LAYERS, IGNORED}


@pytest.mark.parametrize(
    ("table", "label", "expected"),
    [
        (PHOTO_CLASS, "hoodie", "longsleeve"),
        (PHOTO_LAYER, "blazer", "outer"),
        (PHOTO_FASHION_MNIST, "polo", "T-shirt/top"),
        (MASK_CLASS, "jeans", "pants"),
        (MASK_LAYER, "cape", "outer"),
        (BOX_CLASS, "shoe", "shoes"),
        (BOX_LAYER, "jacket", "outer"),
        (BOX_LAYER, "trousers", "trousers"),
        (CLASS_OF, "outer", "outwear"),
        (CLASS_OF, "Ankle boot", "shoes"),
        (BODY_PART, "top", "upper"),
        (BODY_PART, "upper body", "upper"),
        (BODY_PART, "lower body", "lower"),
        (BODY_PART, "skirt", "lower"),
    ],
)
def test_labels_of_data_sets(table, label, expected):
    assert table[label] == expected


def test_labels_of_several_classes_mean_none():
    assert "shirt" not in BOX_CLASS and "jacket" not in BOX_CLASS
    assert "top" not in CLASS_OF  # a layer of three classes
    assert "shoes" not in PHOTO_FASHION_MNIST
    assert not MASK_AMBIGUOUS & MASK_LAYER.keys()


def test_every_class_is_a_leaf_of_the_tree_of_names():
    assert GARMENT_CLASSES.keys() == GENERAL_NAME.keys() - set(GENERAL_NAME.values())
    for general in GENERAL_NAME.values():
        assert general == GARMENT or general in GENERAL_NAME


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("longsleeve", ("garment", "upper body", "top")),
        ("Pullover", ("garment", "upper body", "top")),  # alone means longsleeve
        ("Coat", ("garment", "upper body")),
        ("Trouser", ("garment", "lower body")),
        ("Sandal", ("garment", "shoes")),  # one of three kinds of shoes
        ("outer", ("garment", "upper body")),  # layers are classes of detectors
        ("top", ("garment", "upper body")),
        ("dress", ("garment",)),
        ("kilt", ("garment",)),  # no name of ours
        ("garment", ()),
    ],
)
def test_the_way_to_a_name(name, expected):
    assert general_names(name) == expected
