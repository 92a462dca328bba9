"""The table of networks. A row builds, for a Shape and a dropout fraction, a module from uint8 images
(N, C, H, W) to logits (N, classes); the contract tests run over the rows.
"""

from functools import partial
from typing import Protocol

from torch import nn

from training.inference.shape import Shape
from training.models import baseline, deep
from training.models.backbones import BACKBONES, BackboneNetwork


class Build(Protocol):
    """Builder of an untrained network."""

    def __call__(self, shape: Shape, *, dropout: float) -> nn.Module: ...


MODELS: dict[str, Build] = {
    "baseline": baseline.build,
    "deep": deep.build,
    **{name: partial(BackboneNetwork, name) for name in BACKBONES},
}
