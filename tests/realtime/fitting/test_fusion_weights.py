"""Fusion weights: the better source weighs more, and the file is read for the pair."""

import cv2
import numpy as np
import pytest

from preprocessing.images.regions import Region
from realtime.analysis.segmenter_locator import UnscoredLocator
from realtime.fitting import fusion_weights
from realtime.fitting.fusion_weights import Observation, Stacked, fit, fit_weights, observations
from realtime.fitting.labelled_photos import LabelledGarment

CLASSES = 3


def seen(rng, *, classifier, locator, worn=False):
    """Observations whose two sources are right with given probabilities."""
    found = []
    for _ in range(400):
        truth = int(rng.integers(CLASSES))

        def logs(accuracy, truth=truth):
            name = truth if rng.random() < accuracy else (truth + int(rng.integers(1, 3))) % CLASSES
            probabilities = np.full(CLASSES, 0.1, np.float32)
            probabilities[name] = 0.8
            return np.log(probabilities)

        silent = np.zeros(CLASSES, np.float32)
        found.append(Observation(logs(classifier), logs(locator), silent, truth, worn))
    return found


@pytest.mark.parametrize(("classifier", "locator"), [(0.9, 0.4), (0.4, 0.9)])
def test_the_better_source_weighs_more(classifier, locator):
    found = seen(np.random.default_rng(0), classifier=classifier, locator=locator)
    powers = fit(found)
    assert (powers[0] > 2 * powers[1]) == (classifier > locator)
    loss, accuracy = Stacked.of(found).evaluate(powers)
    assert loss < Stacked.of(found).evaluate((1.0, 1.0))[0]
    assert accuracy == pytest.approx(0.9, abs=0.05)


def test_lying_and_worn_garments_have_weights_of_their_own():
    rng = np.random.default_rng(0)
    lying = seen(rng, classifier=0.9, locator=0.4)
    worn = seen(rng, classifier=0.4, locator=0.9, worn=True)
    weights = fit_weights([*lying, *worn])
    assert weights.lying == fit(lying) and weights.worn == fit(worn)
    alone = fit_weights(lying)
    assert alone.lying == alone.worn == weights.lying


class Middle(UnscoredLocator):
    def __call__(self, image):
        return [Region.from_box(np.array([2, 2, 6, 6], np.float32))]


class Fused:
    """Has no evidence about anything."""

    class info:
        classes = ("t-shirt", "pants")

    def evidence(self, image, regions):
        return Stacked(*np.zeros((4, 1, 2), np.float32))


@pytest.mark.parametrize(("label", "count"), [("t-shirt", 1), ("kilt", 0)])
def test_only_garments_of_the_fused_classes_are_observed(tmp_path, label, count):
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.zeros((8, 8, 3), np.uint8))
    found = list(observations([(path, [LabelledGarment(label)])], Middle(), Fused()))
    assert len(found) == count
    assert all(Fused.info.classes[one.truth] == label for one in found)


def test_without_photos_there_is_nothing_to_fit(capsys):
    assert fusion_weights.main([]) == 2
    assert "give --photos CSV" in capsys.readouterr().err
