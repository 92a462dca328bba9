"""The fit of the embedding: what differs within garments is dropped, few others are named."""

import numpy as np
import pytest

from preprocessing.errors import DataError
from preprocessing.images.regions import Region
from training.classification.fit_wardrobe import (
    FALSE,
    Described,
    Trial,
    discriminants,
    fit_decision,
    fit_space,
    joined,
    parts,
    summary,
    try_wardrobes,
    uneven,
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
    taught = described(garments=30, views=8, seed=1)
    found = joined(taught, described(garments=200, views=1, seed=2))
    trial = try_wardrobes(space, found, taught=30)
    decision = fit_decision(trial)
    threshold = decision.shift / decision.slope
    assert ((trial.own > threshold) & (trial.own > trial.rival)).mean() > 0.9
    assert (trial.others > threshold).mean() == pytest.approx(FALSE, abs=FALSE)
    assert len(trial.own) == 20 * 20 * 4 and len(trial.others) == 20 * 200


def test_the_summary_counts_what_is_named():
    trial = Trial(np.array([1, 0.7, 0.2, 0.9]), np.array([0, 0, 0, 0.95]), np.array([0, 0, 0, 0.6]))
    text = summary(trial, Decision(slope=10, shift=5))
    assert "50.0% of 4 pictures of taught" in text and "25.00% of 4 of others" in text


def test_a_sender_is_in_one_part(tmp_path):
    rows = [f"{n}.jpg,{label},{n % 20}" for n, label in enumerate(["dress", "polo", "body"] * 40)]
    (tmp_path / "index.csv").write_text("path,label,sender\n" + "\n".join(rows))
    found = parts(tmp_path / "index.csv", "sender")
    senders = [{sample.group for sample in found[name]} for name in found]
    assert sum(map(len, senders)) == len(set.union(*senders)) == 20
    assert sum(map(len, found.values())) == 80  # "body" is no garment of the app
    with pytest.raises(DataError, match="no photos of"):
        (tmp_path / "index.csv").write_text("path,label,sender\na.jpg,body,1")
        parts(tmp_path / "index.csv", "sender")


def test_a_mask_is_wrong_by_a_little():
    region = Region(np.array([20, 20, 60, 60], np.float32), np.full((40, 40), 255, np.uint8))
    sides = {
        uneven(region, (80, 80, 3), np.random.default_rng(seed)).mask.shape[0] for seed in range(40)
    }
    assert sides == {34, 36, 38, 40, 42, 44, 46}
