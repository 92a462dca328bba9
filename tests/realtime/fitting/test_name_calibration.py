"""Calibration of names: which names are judged, and that their probabilities become true."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from preprocessing.images.regions import Region
from realtime.analysis.segmenter_locator import UnscoredLocator
from realtime.fitting import name_calibration
from realtime.fitting.labelled_photos import LabelledGarment
from realtime.fitting.name_calibration import (
    LabelledRow,
    ShownName,
    fit,
    fit_calibration,
    rows,
    shown_names,
    true_name,
)
from training.inference.name_tree import NameTree

CLASSES = ("t-shirt", "longsleeve", "outwear", "pants", "other")
TREE = NameTree(CLASSES)


class Worn(UnscoredLocator):
    def __call__(self, image):
        return [replace(Region.from_box(np.array([2, 2, 6, 6], np.float32)), bare=0.1)]


class Fused:
    """Gives every region the same probabilities."""

    class info:
        classes = CLASSES

    def __call__(self, image, regions):
        return np.tile(np.array([0.6, 0.2, 0.1, 0.05, 0.05], np.float32), (len(regions), 1))


def test_rows_of_the_garments_in_photos(tmp_path):
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.zeros((8, 8, 3), np.uint8))
    (row,) = rows([(path, [LabelledGarment("trousers")])], Worn(), Fused())
    assert row.truth == "pants" and row.worn and row.probabilities[0] == pytest.approx(0.6)


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


def test_few_names_change_little():
    assert calibrated(0.8, fit(names(4, probability=0.8, right=0.5))) == pytest.approx(
        0.75, abs=0.04
    )
    assert calibrated(0.8, fit(names(20, probability=0.8, right=1.0))) < 0.95


def test_levels_and_worn_garments_are_calibrated_by_themselves():
    row = np.array([0.9, 0.05, 0.03, 0.01, 0.01], np.float32)  # right half of the time
    found = [LabelledRow(row, ("t-shirt", "longsleeve")[n % 2], worn=True) for n in range(600)]
    found += [LabelledRow(row, "t-shirt")] * 30
    calibration = fit_calibration(TREE, found)
    # Always right names teach nothing.
    assert calibration.worn.keys() == {"kind"} and not calibration.lying
    assert calibrated(0.9, calibration.worn["kind"]) == pytest.approx(0.5, abs=0.04)


def test_without_photos_there_is_nothing_to_fit(capsys):
    assert name_calibration.main([]) == 2
    assert "give --photos CSV" in capsys.readouterr().err
