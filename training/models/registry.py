"""The table of networks, from uint8 images (N, C, H, W) to logits (N, classes).

The contract tests run over its rows.
"""

from collections.abc import Callable
from functools import partial

from torch import nn

from training.models.backbones import BACKBONES, BackboneNetwork
from training.models.baseline import baseline
from training.models.deep import deep

# Each builds an untrained network for a Shape, with a dropout fraction before its last layer.
MODELS: dict[str, Callable[..., nn.Module]] = {
    "baseline": baseline,
    "deep": deep,
    **{name: partial(BackboneNetwork, name) for name in BACKBONES},
}
