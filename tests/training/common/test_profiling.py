"""Profiles of networks, compared with published figures."""

import pytest
import torch

from training.common import profiling
from training.inference.weights import Shape
from training.models.registry import MODELS


def network(name, size):
    shape = Shape(1000, size=size, channels=3)
    return MODELS[name](shape, dropout=0).eval(), torch.zeros(1, 3, size, size)


@pytest.mark.parametrize(
    ("name", "size", "published"),
    [
        ("efficientnet-b0", 224, 0.39e9),  # arXiv 1905.11946, table 2
        ("efficientnet-b0", 256, 0.39e9 * (256 / 224) ** 2),
        ("resnet18", 224, 1.81e9),  # torchvision's table of models
        ("resnet50", 224, 4.09e9),
    ],
)
def test_multiply_accumulates_are_the_published_ones(name, size, published):
    assert profiling.count_macs(*network(name, size)) == pytest.approx(published, rel=0.02)


@pytest.mark.parametrize(
    ("name", "published"),  # Araujo et al. 2019, doi 10.23915/distill.00021
    [("vgg16", 212), ("resnet18", 435), ("efficientnet-b0", 851)],
)
def test_receptive_fields_are_the_published_ones(name, published):
    assert profiling.receptive_field(*network(name, 64)) == published


def test_layers_add_up():
    built, image = network("resnet18", 64)
    layers = profiling.layers_of(built, image)
    assert sum(layer.macs for layer in layers) == profiling.count_macs(built, image)
    assert len(layers) == 21  # 20 convolutions and the head


@pytest.mark.parametrize(("seconds", "calls"), [(0.0, profiling.FEWEST), (1e9, profiling.CALLS)])
def test_some_calls_are_measured_on_a_machine_of_any_speed(monkeypatch, seconds, calls):
    monkeypatch.setattr(profiling, "SECONDS", seconds)
    done = []
    assert len(profiling.timed(lambda: done.append(1))) == calls
    assert len(done) == profiling.WARM_UP + calls
