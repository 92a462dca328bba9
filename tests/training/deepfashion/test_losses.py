"""Losses over known labels, and their weights."""

import dataclasses

import numpy as np
import pytest
import torch

from preprocessing.datasets.attribute_table import MISSING
from preprocessing.datasets.deepfashion_benchmark import POINTS, read_benchmark
from training.deepfashion.data import FashionSubset
from training.deepfashion.losses import (
    LossWeights,
    attribute_loss,
    box_loss,
    category_loss,
    landmark_loss,
    losses,
    rarity_weights,
)
from training.deepfashion.network import BRANCH, Outputs
from training.deepfashion.settings import FASHION_MODELS

RECIPE = FASHION_MODELS["deepfashion"]


def test_a_category_teaches_its_own_branch_alone(outputs):
    rows = torch.randn(2, outputs.size, requires_grad=True)
    category_loss(outputs.split(rows), torch.tensor([1, MISSING]), outputs).backward()
    grads = outputs.split(rows.grad)
    # One class a branch, so that a branch itself has nothing to learn; the type has.
    assert grads["one", "type"][0].abs().sum() > 0 and grads["one", "type"][1].abs().sum() == 0
    wide = dataclasses.replace(outputs.branches[0], codes=("a", "b"), titles=("a", "b"))
    parts = tuple(wide if part.name == "upper" else part for part in outputs.parts)
    rows = torch.randn(2, Outputs(parts).size, requires_grad=True)
    split = Outputs(parts).split(rows)
    category_loss(split, torch.tensor([0, 2]), Outputs(parts)).backward()
    grads = Outputs(parts).split(rows.grad)
    assert grads[BRANCH, "upper"][0].abs().sum() > 0 and grads[BRANCH, "upper"][1].abs().sum() == 0


def test_attribute_losses_by_hand():
    logits = torch.tensor([[2.0, -1.0, 0.5]])
    has = torch.tensor([[1.0, 0.0, MISSING]])
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    each = [bce(logits[0, k], has[0, k]) for k in (0, 1)]
    mean = attribute_loss(logits, has, RECIPE)
    assert mean == pytest.approx(float(sum(each)) / 2)
    summed = dataclasses.replace(RECIPE, reduction="sum")
    assert attribute_loss(logits, has, summed) == pytest.approx(float(sum(each)))
    heavy = attribute_loss(logits, has, summed, positive_weights=torch.tensor([5.0, 5.0, 5.0]))
    assert heavy == pytest.approx(float(5 * each[0] + each[1]))
    hinge = dataclasses.replace(RECIPE, attribute_loss="hinge", reduction="sum")
    assert attribute_loss(torch.tensor([[0.25, -0.5, 9]]), has, hinge) == pytest.approx(0.75 + 0.5)


def test_losses_leave_out_unknown_labels():
    boxes = torch.tensor([[0.1, 0.1, 0.5, 0.5], [0.0, 0.0, 1.0, 1.0]], requires_grad=True)
    truth = torch.tensor([[0.1, 0.1, 0.5, 0.5], [torch.nan] * 4])
    for kind in ("giou", "l1"):
        assert box_loss(boxes, truth, kind).item() == pytest.approx(0, abs=1e-5)
    box_loss(boxes, truth * torch.nan, "giou").backward()
    assert boxes.grad.abs().sum() == 0
    points = torch.full((1, POINTS, 2), torch.nan)
    assert landmark_loss(torch.randn(1, 3 * POINTS), points) == 0


def test_weights_of_losses_reach_the_sum(outputs):
    rows = torch.rand(3, outputs.size)
    labels = {
        "box": torch.rand(3, 4).sort(dim=1).values, "landmarks": torch.rand(3, POINTS, 2),
        "category": torch.tensor([0, 1, 2]), "has": torch.tensor([[1.0, 0.0]] * 3),
    }  # fmt: skip
    once = losses(rows, labels, outputs, RECIPE, weights=LossWeights())
    assert set(once) == {"box", "category", "attributes", "landmarks"}
    for name, field in (("box", "box"), ("category", "category"), ("attributes", "attribute"),
                        ("landmarks", "landmark")):  # fmt: skip
        field = f"{field}_weight"
        recipe = dataclasses.replace(RECIPE, **{field: 2 * getattr(RECIPE, field)})
        twice = losses(rows, labels, outputs, recipe, weights=LossWeights())
        assert twice[name] == pytest.approx(2 * float(once[name]))


def test_rare_attributes_weigh_more(data):
    benchmark = read_benchmark(data)
    training = FashionSubset(benchmark, np.arange(len(benchmark)), 32)
    weights = rarity_weights(training, RECIPE)
    has = np.array([benchmark.bits.row(row) == 1 for row in range(len(benchmark))])
    absent, present = (~has).sum(axis=0), has.sum(axis=0)
    assert weights.positives.tolist() == pytest.approx((absent / present).tolist())
    assert weights.groups is None
    equal = dataclasses.replace(RECIPE, positive_weight=0.0)
    assert rarity_weights(training, equal) == LossWeights() or (
        rarity_weights(training, equal).positives is None
    )
