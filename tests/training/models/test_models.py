"""Contract of every network, recipe and schedule: the tables' rows are what is tested."""

import dataclasses

import pytest
import torch

from preprocessing.errors import UsageError
from training.classification.recipes import RECIPES
from training.common.augmentation import AUGMENTATIONS
from training.common.schedules import SCHEDULES
from training.inference.shape import Shape
from training.models import MODELS
from training.models.backbones import Depthwise
from training.models.head import BilinearPool

HEAVY = {f"efficientnet-b{n}" for n in range(3, 8)}  # minutes of building, nothing new in them
SHAPES = [Shape(10, size=32), Shape(7, size=64, channels=3, head="hidden")]
SMALLEST = {"inception-v3": 75}  # pixels, where 32 are not enough


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


def test_the_bilinear_pool_is_the_signed_root_of_the_outer_product():
    pool = BilinearPool(3).eval()
    maps = torch.randn(2, 3, 4, 5)
    reduced = pool.reduce(maps).flatten(2).double()
    outer = torch.einsum("nip,njp->nij", reduced, reduced).flatten(1) / 20
    expected = torch.nn.functional.normalize(outer.sign() * outer.abs().sqrt())
    assert torch.allclose(pool(maps).double(), expected, atol=2e-3)


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


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_name_rows_of_the_tables(name):
    recipe = RECIPES[name]
    assert recipe.network in MODELS
    assert recipe.schedule in SCHEDULES
    assert {recipe.augment, recipe.last_augment} <= AUGMENTATIONS.keys()
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.lr = 1


def rates(name, epochs=8, steps_an_epoch=5):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    made = SCHEDULES[name](optimizer, epochs=epochs, steps=epochs * steps_an_epoch)
    seen = []
    for step in range(epochs * steps_an_epoch):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if made["interval"] == "step":
            made["scheduler"].step()
        elif (step + 1) % steps_an_epoch == 0:
            metric = (1.0,) if "monitor" in made else ()
            made["scheduler"].step(*metric)
    return seen


def test_onecycle_rises_then_falls_every_step():
    seen = rates("onecycle")
    top = seen.index(max(seen))
    assert 3 <= top <= 8 and max(seen) == pytest.approx(0.1)
    assert seen[0] < 0.01 and seen[-1] < 0.001
    assert all(a > b for a, b in zip(seen[top:], seen[top + 1 :], strict=False))


def test_the_other_schedules():
    cosine = rates("cosine")
    assert cosine[0] == 0.1 and cosine[20] == pytest.approx(0.05) and cosine[-1] < 0.001
    step = rates("step")
    assert step[19] == 0.1 and step[20] == pytest.approx(0.01) and step[-1] == pytest.approx(0.001)
    plateau = rates("plateau")
    assert plateau[0] == 0.1 and plateau[-1] == pytest.approx(0.02)


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
