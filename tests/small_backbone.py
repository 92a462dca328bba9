"""A small network in place of ResNet18: a checkpoint of that has 140 MB, which take their time."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
from torch import nn

from training import export
from training.models.backbones import BACKBONES, Backbone

NAME = "resnet18"
CHANNELS = (3, 16, 32, 64)


def build(size: int) -> nn.Module:
    """Halve the resolution three times."""
    stages = []
    for before, after in pairwise(CHANNELS):
        stages += [nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False),
                   nn.BatchNorm2d(after), nn.ReLU()]  # fmt: skip
    return nn.Sequential(*stages)


def fetch() -> dict:
    raise AssertionError("it is not published")


@contextmanager
def small_backbone() -> Iterator[None]:
    """Put the network in its place while inside."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BACKBONES, NAME, Backbone(build, fetch))
        yield


@pytest.fixture(scope="session")
def published(run, tmp_path_factory):
    """The folder of a published run, the fixture `run` of those who import this."""
    folder = tmp_path_factory.mktemp("published")
    with small_backbone():
        assert export.main([str(run), "--out", str(folder)]) == 0
    return folder


@pytest.fixture(autouse=True)
def uses_small_backbone():
    """Let every test of those who import this have the network."""
    with small_backbone():
        yield
