"""Depthwise convolutions in mixed precision, and published weights."""

import pytest
import torch

from training.models.backbones import Depthwise


@pytest.mark.parametrize("stride", [1, 2])
def test_a_depthwise_convolution_is_the_librarys(stride):
    plain = torch.nn.Conv2d(8, 8, 5, stride, padding=2, groups=8, bias=False)
    plain.static_padding = torch.nn.Identity()
    assert Depthwise.suits(plain)
    ours = Depthwise(plain)
    assert ours.state_dict().keys() == plain.state_dict().keys()
    images = torch.randn(2, 8, 12, 12, requires_grad=True)
    expected = torch.autograd.grad(plain(images).square().sum(), (images, plain.weight))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        result = ours(images)
    assert result.dtype == torch.float32  # whatever is around it
    found = torch.autograd.grad(result.square().sum(), (images, ours.weight))
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-4)


def test_plain_convolutions_are_left_alone():
    assert not Depthwise.suits(torch.nn.Conv2d(8, 8, 3, padding=1, groups=8))
    assert not Depthwise.suits(torch.nn.Conv2d(8, 8, 5, padding=2))
