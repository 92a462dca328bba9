"""The fixed split of Fashion-MNIST, and its images as a subset."""

import numpy as np
import pytest
import torch

from preprocessing.datasets.samples_and_splits import stratified_split
from training.common.subsets import ImageSubset, Sampling


@pytest.mark.parametrize("seed", [0, 7])
def test_the_split_is_stratified_disjoint_and_seeded(seed):
    labels = np.repeat(np.arange(10), 600)[np.random.default_rng(3).permutation(6000)]
    rest, validation = stratified_split(labels, count=500, seed=seed)
    assert len(validation) == 500 and len(rest) == 5500
    assert not set(rest) & set(validation)
    assert (np.bincount(labels[validation]) == 50).all()
    again = stratified_split(labels, count=500, seed=seed)
    assert (again[1] == validation).all()
    assert (stratified_split(labels, count=500, seed=seed + 1)[1] != validation).any()


def test_uneven_classes_get_their_fraction():
    labels = np.array([0] * 90 + [1] * 10)
    _, validation = stratified_split(labels, count=10, seed=0)
    assert np.bincount(labels[validation]).tolist() == [9, 1]


def split(count=10):
    images = torch.arange(count, dtype=torch.uint8).view(-1, 1, 1, 1).expand(count, 1, 28, 28)
    return ImageSubset(images, torch.arange(count))


def test_loaders_give_whole_batches():
    assert [labels.tolist() for _, labels in split().loader()] == [list(range(10))]
    shuffled = [labels for _, labels in split().loader(Sampling(4, seed=0))]
    assert [len(labels) for labels in shuffled] == [4, 4]
    assert len(set(torch.cat(shuffled).tolist())) == 8
    for images, labels in split().loader(Sampling(4, seed=0)):
        assert images.dtype == torch.uint8 and (images[:, 0, 0, 0] == labels).all()
