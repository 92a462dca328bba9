"""The outputs of a network, its boxes and its local features."""

import torch
from torchvision.ops import roi_align as torchvision_roi_align

from training.deepfashion.network import roi_align, soft_argmax_box


def test_boxes_are_ordered_and_within_the_picture():
    boxes = soft_argmax_box(30 * torch.randn(200, 4, 8, 8))
    assert (boxes >= 0).all() and (boxes <= 1).all()
    assert (boxes[:, 2:] >= boxes[:, :2]).all()
    # Of maps that are high in one cell each, the box between those cells.
    peaks = torch.zeros(1, 4, 5, 5)
    peaks[0, 0, :, 3], peaks[0, 1, :, 1], peaks[0, 2, 2], peaks[0, 3, 4] = 60, 60, 60, 60
    expected = torch.tensor([[0.25, 0.5, 0.75, 1.0]])
    assert torch.allclose(soft_argmax_box(peaks), expected, atol=1e-3)


def test_local_features_are_those_of_torchvision():
    features = torch.randn(2, 4, 8, 8)
    boxes = torch.tensor([[0.1, 0.2, 0.7, 0.9], [0.3, 0.3, 0.5, 0.8]])
    rows = torch.cat([torch.arange(2.0)[:, None], boxes * 8], dim=1)
    expected = torchvision_roi_align(features, rows, 3, sampling_ratio=2, aligned=True)
    assert torch.allclose(roi_align(features, boxes), expected, atol=1e-5)


def test_category_probabilities_sum_to_one(outputs):
    split = outputs.split(torch.randn(5, outputs.size))
    probabilities = outputs.category_probabilities(split)
    assert probabilities.shape == (5, 3)
    assert torch.allclose(probabilities.sum(dim=1), torch.ones(5))


def test_every_number_of_a_row_has_a_name(outputs):
    assert len(outputs.names) == outputs.size
    assert outputs.names[:2] == ("box x1", "box y1") and "landmarks present7" in outputs.names
