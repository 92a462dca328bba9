"""Batches of a subset: in order, shuffled, balanced, split among processes."""

import pytest
import torch

from preprocessing.datasets.attribute_table import MISSING
from training.common.subsets import Sampling, batch_sampler, sample_weights


def test_without_sampling_all_come_in_order():
    parts = list(batch_sampler(torch.arange(10), None, size=4))
    assert parts == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_processes_split_the_whole_batch():
    labels = torch.arange(40) % 4
    whole = list(batch_sampler(labels, Sampling(8, seed=3)))
    parts = [
        list(batch_sampler(labels, Sampling(8, seed=3, rank=rank, world=2))) for rank in (0, 1)
    ]
    for first, second, both in zip(*parts, whole, strict=True):
        assert len(first) == len(second) == 4 and sorted(first + second) == sorted(both)


def test_balanced_batches_hold_all_classes_alike():
    labels = torch.tensor([0] * 900 + [1] * 100)
    drawn = [
        i for batch in batch_sampler(labels, Sampling(100, seed=0, balanced=True)) for i in batch
    ]
    assert 0.4 < labels[drawn].float().mean() < 0.6


def test_samples_of_rare_classes_weigh_more():
    labels = torch.tensor([[0, 0], [0, MISSING], [0, 1], [1, MISSING], [MISSING, MISSING]])
    weights = sample_weights(labels).tolist()
    assert weights == pytest.approx([(1 / 3 + 1) / 2, 1 / 3, (1 / 3 + 1) / 2, 1, 0])
