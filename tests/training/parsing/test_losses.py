"""Losses of a parser."""

import pytest
import torch

from preprocessing.images.class_maps import UNKNOWN_PIXEL
from training.parsing.losses import (
    at_half_size,
    count_pixels,
    dice_loss,
    imitation_loss,
    pixel_class_weights,
)


def test_rare_classes_weigh_more():
    class_weights = pixel_class_weights(torch.tensor([1000, 10, 0]))
    assert class_weights[0] < class_weights[1] < class_weights[2]
    assert class_weights.mean() == pytest.approx(1, abs=0.01)


def test_the_dice_loss_of_known_cases():
    target = torch.tensor([[[0, 1, UNKNOWN_PIXEL]]])
    sure = 50.0 * torch.eye(3)[None, :, None, :]  # predicts classes 0, 1 and 2 of the three pixels
    assert dice_loss(sure, target).item() == pytest.approx(0)  # the unknown one does not count
    wrong = sure.flip(1)  # predicts 2, 1 and 0
    assert dice_loss(wrong, target).item() == pytest.approx(0.5)


def test_imitation_costs_nothing_where_the_answers_are_the_teacher_s():
    logits = torch.randn(2, 12, 4, 4, generator=torch.Generator().manual_seed(0))
    assert imitation_loss(logits, logits).item() == pytest.approx(0, abs=1e-6)
    assert imitation_loss(logits, logits.flip(1)) > 0.1


def test_unknown_pixels_are_not_counted():
    classes = torch.tensor([[[0, 0, 11, UNKNOWN_PIXEL]]], dtype=torch.uint8)
    counts = count_pixels(iter([(torch.zeros(1), classes)]))
    assert counts.tolist() == [2, *[0] * 10, 1]


def test_classes_are_compared_at_half_of_the_input():
    logits, target = at_half_size(
        torch.zeros(1, 12, 4, 4), torch.ones(1, 16, 16, dtype=torch.uint8)
    )
    assert logits.shape == (1, 12, 8, 8) and target.shape == (1, 8, 8)
