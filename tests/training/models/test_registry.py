"""Contract of every network: the table's rows are what is tested."""

import dataclasses

import pytest
import torch

from preprocessing.errors import UsageError
from training.inference.weights import Shape
from training.models.names import BACKBONES, NETWORKS
from training.models.registry import MODELS

HEAVY = {f"efficientnet-b{n}" for n in range(3, 8)}  # minutes of building, nothing new in them
SHAPES = [Shape(10, size=32), Shape(7, size=64, channels=3, head="hidden")]
SMALLEST = {"inception-v3": 75}  # pixels, where 32 are not enough


def test_names_without_torch_are_those_of_the_table():
    assert tuple(MODELS) == NETWORKS and set(BACKBONES) < set(NETWORKS)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", sorted(MODELS.keys() - HEAVY))
def test_uint8_images_to_logits(name, shape):
    shape = dataclasses.replace(shape, size=max(shape.size, SMALLEST.get(name, 0)))
    network = MODELS[name](shape, dropout=0.1).eval()
    side = (shape.channels, shape.size, shape.size)
    images = torch.randint(0, 256, (3, *side), dtype=torch.uint8)
    with torch.inference_mode():
        logits = network(images)
        alone = network(images[1:2])
    assert logits.shape == (3, shape.classes) and logits.dtype == torch.float32
    assert torch.allclose(logits[1], alone[0], atol=1e-3)


@pytest.mark.parametrize("head", ["custom", "bilinear"])
@pytest.mark.parametrize("name", ["deep", "resnet18", "efficientnet-lite0"])
def test_heads_for_attributes(name, head):
    network = MODELS[name](Shape(5, size=64, channels=3, head=head), dropout=0.0).eval()
    logits = network(torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8))
    assert logits.shape == (2, 5)
    logits.sum().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in network.parameters())


def test_a_shallow_network_is_not_bilinear():
    with pytest.raises(UsageError, match="too shallow"):
        MODELS["baseline"](Shape(10, head="bilinear"), dropout=0.0)


@pytest.mark.parametrize("name", ["vgg16", "inception-v3"])
def test_networks_refuse_what_they_would_halve_to_nothing(name):
    with pytest.raises(UsageError, match="--image-size"):
        MODELS[name](Shape(10, size=28), dropout=0.0)


def test_deep_is_small():
    network = MODELS["deep"](Shape(10), dropout=0.0)
    assert sum(p.numel() for p in network.parameters()) <= 1_100_000
