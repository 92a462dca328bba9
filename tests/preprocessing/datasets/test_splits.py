"""Splits: stratified, each group on one side, the source's own splits kept."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from preprocessing.datasets.samples import Sample
from preprocessing.datasets.splits import crossing_groups, split_samples
from preprocessing.errors import DataError


def grouped(count=300):
    rng = np.random.default_rng(1)
    labels = rng.choice(["a", "b", "c"], count, p=[0.6, 0.3, 0.1])
    return [Sample(Path(f"{i}.jpg"), labels[i], group=str(i // 3)) for i in range(count)]


def test_a_split_keeps_groups_together_and_classes_even():
    found = split_samples(grouped(), validation=0.2, test=0.2, seed=0)
    assert crossing_groups(found) == []
    sizes = Counter(sample.split for sample in found)
    assert abs(sizes["validation"] - 60) <= 9 and abs(sizes["test"] - 60) <= 12
    for split in sizes:
        labels = Counter(sample.label for sample in found if sample.split == split)
        assert 0.5 < labels["a"] / sizes[split] < 0.7 and labels["c"] > 0
    assert split_samples(grouped(), validation=0.2, test=0.2, seed=0) == found
    assert split_samples(grouped(), validation=0.2, test=0.2, seed=1) != found


def test_a_group_that_fills_a_part_is_not_the_validation_part():
    """Its pictures would be all that the model is chosen by."""
    large = [Sample(Path(f"l{n}.jpg"), "coat", group="large") for n in range(40)]
    others = [Sample(Path(f"o{n}.jpg"), ("coat", "hat")[n % 2], group=f"g{n // 4}")
              for n in range(160)]  # fmt: skip
    found = split_samples([*large, *others], validation=0.2, test=0, seed=0)
    validation = [sample for sample in found if sample.split == "validation"]
    assert "large" not in {sample.group for sample in validation}
    assert len({sample.group for sample in validation}) >= 8 and len(validation) >= 32


def test_given_splits_stay():
    given = [Sample(Path("1"), "a", split="training"), Sample(Path("2"), "a", split="validation")]
    assert split_samples(given, validation=0.5, test=0.5, seed=0) == given
    with pytest.raises(DataError, match="no training picture of a"):
        split_samples(given[1:], validation=0, test=0, seed=0)
