"""Calibration of names: which names are judged, and that their probabilities become true."""

import numpy as np
import pytest

from realtime.fitting import name_calibration
from realtime.fitting.name_calibration import (
    LabelledRow,
    ShownName,
    fit,
    fit_calibration,
    shown_names,
    true_name,
)
from training.inference.name_tree import NameCalibration, NameTree

CLASSES = ("t-shirt", "longsleeve", "outwear", "pants", "other")
TREE = NameTree(CLASSES)


@pytest.mark.parametrize(
    ("label", "classes", "expected"),
    [
        ("pants", CLASSES, "pants"),
        ("trousers", CLASSES, "pants"),
        ("Pullover", CLASSES, "longsleeve"),
        ("longsleeve", ("Pullover", "Bag"), "Pullover"),
        ("shoes", ("Sneaker", "Sandal"), "shoes"),  # either of them
        ("top", CLASSES, "top"),
        ("other", CLASSES, "other"),
    ],
)
def test_what_a_label_means_in_the_tree(label, classes, expected):
    assert true_name(label, classes) == expected


@pytest.mark.parametrize(
    ("truth", "right"),
    [
        ("t-shirt", {"garment": True, "part": True, "group": True, "kind": True}),
        ("longsleeve", {"garment": True, "part": True, "group": True, "kind": False}),
        ("outwear", {"garment": True, "part": True, "group": False, "kind": False}),
        ("pants", {"garment": True, "part": False, "group": False, "kind": False}),
        ("top", {"garment": True, "part": True, "group": True}),  # no more is known
        ("other", {"garment": False, "part": False, "group": False, "kind": False}),
    ],
)
def test_names_on_the_way_are_right_or_wrong(truth, right):
    row = LabelledRow(np.array([0.6, 0.2, 0.1, 0.05, 0.05], np.float32), truth)
    shown = dict(shown_names(TREE, row))
    assert {level: name.right for level, name in shown.items()} == right
    assert shown["group"].probability == pytest.approx(0.8)


def test_what_is_shown_as_other_is_no_name():
    row = LabelledRow(np.array([0.1, 0.1, 0.1, 0.1, 0.6], np.float32), "pants")
    assert not list(shown_names(TREE, row))


def names(count, *, probability, right):
    """So many names of a probability, a fraction of which is right."""
    return [ShownName(probability, n < right * count) for n in range(count)]


def calibrated(probability, numbers):
    return 1 / (1 + np.exp(-numbers[0] * np.log(probability / (1 - probability)) - numbers[1]))


def test_probabilities_become_the_frequency_of_right_names():
    shown = names(400, probability=0.95, right=0.8) + names(400, probability=0.6, right=0.5)
    numbers = fit(shown)
    assert calibrated(0.95, numbers) == pytest.approx(0.8, abs=0.02)
    assert calibrated(0.6, numbers) == pytest.approx(0.5, abs=0.02)


def test_a_few_right_names_do_not_become_certain():
    shown = names(20, probability=0.8, right=1.0)
    assert calibrated(0.8, fit(shown)) < 0.97


def test_levels_are_calibrated_by_themselves():
    row = np.array([0.9, 0.05, 0.03, 0.01, 0.01], np.float32)  # right half of the time
    found = [LabelledRow(row, ("t-shirt", "longsleeve")[n % 2]) for n in range(300)]
    calibration = fit_calibration(TREE, found)
    assert calibrated(0.9, calibration.kind) == pytest.approx(0.5, abs=0.04)
    neutral = NameCalibration()  # always right: nothing to learn from
    assert (calibration.group, calibration.part) == (neutral.group, neutral.part)


def test_without_photos_there_is_nothing_to_fit(capsys):
    assert name_calibration.main([]) == 2
    assert "give --photos CSV" in capsys.readouterr().err
