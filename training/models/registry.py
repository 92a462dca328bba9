"""The table of networks, from uint8 images (N, C, H, W) to logits (N, classes).

The contract tests run over its rows.
"""

from functools import partial
from typing import Protocol

from torch import nn

from training.inference.shape import Shape
from training.models import baseline, deep
from training.models.backbones import BACKBONES, BackboneNetwork


class Build(Protocol):
    """Builds an untrained network for a shape, with a dropout fraction before its last layer."""

    def __call__(self, shape: Shape, *, dropout: float) -> nn.Module: ...


MODELS: dict[str, Build] = {
    "baseline": baseline.build,
    "deep": deep.build,
    **{name: partial(BackboneNetwork, name) for name in BACKBONES},
}
