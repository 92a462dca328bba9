"""Metrics of a classifier and of attributes."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from preprocessing.datasets.attribute_table import Attribute
from training.common.metrics import calibrate, fit_temperature, score, score_attributes

# Three classes, six images; the argmax is wrong for the last two.
SURE, LESS = [0.82, 0.09, 0.09], [0.63, 0.185, 0.185]
PROBABILITIES = [SURE, LESS, np.roll(SURE, 1), np.roll(LESS, 2), LESS, np.roll(SURE, 1)]
LOGITS = np.log(np.array(PROBABILITIES))
LABELS = np.array([0, 0, 1, 2, 1, 2])


def test_scores_against_a_case_worked_by_hand():
    scores = score(LOGITS, LABELS)
    assert scores.accuracy == pytest.approx(4 / 6)
    assert scores.confusion.tolist() == [[2, 0, 0], [1, 1, 0], [0, 1, 1]]
    assert scores.recall == pytest.approx([1, 0.5, 0.5])
    assert scores.precision == pytest.approx([2 / 3, 0.5, 1])
    assert scores.macro_f1 == pytest.approx((0.8 + 0.5 + 2 / 3) / 3)
    assert scores.balanced_accuracy == pytest.approx(2 / 3)
    # Two of three are right at a confidence of 0.82, and two of three at 0.63.
    assert scores.ece == pytest.approx((3 * 0.82 - 2 + 2 - 3 * 0.63) / 6)
    # Wilson interval of 4 of 6, as tabulated by Brown, Cai and DasGupta's formula.
    assert scores.interval == pytest.approx((0.2999, 0.9032), abs=1e-3)


def test_classes_that_do_not_occur_do_not_count():
    scores = score(LOGITS[:3], LABELS[:3])
    assert scores.balanced_accuracy == scores.macro_f1 == 1


def test_a_calibrated_network_has_no_error():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1, 200_000)
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    labels = (rng.uniform(size=len(confidence)) > confidence).astype(int)
    assert calibrate(probabilities, labels).error < 0.005


@pytest.mark.parametrize("true", [0.5, 1.0, 3.0])
def test_the_temperature_is_found_again(true):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (20_000, 5))
    gumbel = rng.gumbel(size=logits.shape)
    labels = (logits + gumbel).argmax(axis=1)  # drawn from softmax(logits)
    assert fit_temperature(logits * true, labels) == pytest.approx(true, rel=0.05)


def test_attributes_are_scored_where_known_beside_the_baseline():
    attributes = (
        Attribute("a", ("0", "1"), ("0", "1")),
        Attribute("b", tuple("xyz"), tuple("xyz")),
    )
    rng, modes = np.random.default_rng(0), np.array([1, 2])
    logits = rng.normal(size=(40, 5)).astype(np.float32)
    values = np.stack([rng.integers(-1, 2, 40), rng.integers(-1, 3, 40)], axis=1)
    _, second = score_attributes(logits, values, attributes, modes=modes)
    kept = values[:, 1] >= 0
    truth, predicted = values[kept, 1], logits[kept, 2:].argmax(1)
    assert second.scores.count == kept.sum()
    assert second.scores.macro_f1 == pytest.approx(f1_score(truth, predicted, average="macro"))
    assert second.baseline.accuracy == pytest.approx((truth == 2).mean())
    strict = score_attributes(logits, values, attributes, modes=modes, excluded={"b": "z"})[1]
    kept = np.isin(values[:, 1], [0, 1])
    right = logits[kept, 2:4].argmax(1) == values[kept, 1]
    assert strict.scores.count == kept.sum()
    assert strict.scores.accuracy == pytest.approx(right.mean())
