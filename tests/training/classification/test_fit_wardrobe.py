"""The fit of the embedding: what differs within garments is dropped, few others are named."""

import numpy as np
import pytest

from preprocessing.errors import DataError
from training.classification.described_garments import Described, HeldOut
from training.classification.fit_wardrobe import (
    FALSE,
    Trial,
    discriminants,
    fit_decision,
    fit_space,
    summary,
    try_wardrobes,
)
from training.inference.embedding import Decision

OWN = 24
CLOTH = OWN + 4


def described(*, garments, views, seed=0):
    """Features: OWN tell garments apart, four vary at random, the last three tell three kinds."""
    rng = np.random.default_rng(seed)
    numbers = np.repeat(np.arange(garments), views)
    features = np.concatenate(
        [rng.normal(0, 1, (garments, OWN))[numbers], rng.normal(0, 5, (len(numbers), 4))], axis=1
    )
    features[:, :OWN] += rng.normal(0, 0.05, (len(numbers), OWN))
    features = np.concatenate([features, 3 * np.eye(3)[numbers % 3]], axis=1)
    return Described(features.astype(np.float32), numbers, np.tile(np.arange(views), garments))


def test_the_projection_keeps_what_tells_garments_apart():
    found = described(garments=60, views=5)
    weights = np.abs(discriminants(found.features[:, :CLOTH], found.garments))
    assert weights[:OWN, :OWN].max(axis=1).min() > 20 * weights[:OWN, OWN:].max()


def test_too_few_garments_are_an_error():
    with pytest.raises(DataError, match="too few photos"):
        fit_space(described(garments=4, views=5), first=CLOTH)
    with pytest.raises(DataError, match="too few photos"):
        fit_space(described(garments=60, views=1), first=CLOTH)


def test_taught_garments_are_named_and_others_are_not():
    space = fit_space(described(garments=80, views=5), first=CLOTH)
    pictures = described(garments=30, views=9, seed=1)
    taught = [pictures.features[9 * n + 5 : 9 * n + 9] for n in range(30)]
    asked = described(garments=30, views=5, seed=1)
    others = described(garments=200, views=1, seed=2).features
    trial = try_wardrobes(space, HeldOut(taught, asked, others))
    decision = fit_decision(trial)
    threshold = decision.shift / decision.slope
    assert ((trial.own > threshold) & (trial.own > trial.rival)).mean() > 0.9
    assert (trial.others > threshold).mean() == pytest.approx(FALSE, abs=FALSE)
    assert len(trial.own) == 20 * 20 * 4 and len(trial.others) == 20 * 200
    some = HeldOut(taught, asked, others).of([1, 2])
    assert len(try_wardrobes(space, some).own) == 20 * 20 * 2


def test_the_summary_counts_what_is_named():
    trial = Trial(np.array([1, 0.7, 0.2, 0.9]), np.array([0, 0, 0, 0.95]), np.array([0, 0, 0, 0.6]))
    text = summary(trial, Decision(slope=10, shift=5))
    assert "50.0% of 4 pictures of taught" in text and "25.00% of 4 of others" in text
