"""Separation of garments from other pictures."""

import numpy as np
import pytest

from training.classification.report import Confidence, garment_confidence, separation


def test_garments_are_separated_from_other_pictures():
    garments, others = (
        Confidence(scores, scores > 0.55)
        for scores in (np.linspace(0.5, 1, 100), np.linspace(0, 0.6, 100))
    )
    found = separation(garments, others)
    assert (found.kept, found.accepted) == (
        pytest.approx(0.9, abs=0.02),
        pytest.approx(1 / 12, abs=0.02),
    )
    assert found.threshold == pytest.approx(0.57, abs=0.01)  # the top twentieth of the others
    assert found.rejected == pytest.approx(0.14, abs=0.02)
    assert found.auroc == pytest.approx(1 - 0.1 * 0.1 / (2 * 0.5 * 0.6), abs=0.01)
    assert separation(others, garments).auroc == pytest.approx(1 - found.auroc)


def test_the_confidence_is_what_is_left_to_no_garment():
    logits = np.log(np.array([[0.7, 0.1, 0.2], [0.1, 0.1, 0.8]]))
    with_other = garment_confidence(logits, ("hat", "shoes", "other"), temperature=1)
    assert with_other.scores == pytest.approx([0.8, 0.2])
    assert with_other.labelled.tolist() == [True, False]
    without = garment_confidence(logits, ("hat", "shoes", "bag"), temperature=1)
    assert without.scores == pytest.approx([0.7, 0.8]) and without.labelled.all()
    assert not garment_confidence(
        0.1 * logits, ("hat", "shoes", "bag"), temperature=1
    ).labelled.any()
