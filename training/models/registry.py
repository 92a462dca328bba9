"""The networks. A build function takes a Shape and a dropout share, and returns a module that maps
uint8 images (N, C, H, W) to logits (N, classes).

MODELS is the only list of them: the contract tests run over its rows.
"""

from functools import partial

from training.models import baseline, deep
from training.models.backbones import BACKBONES, Classifier

MODELS = {
    "baseline": baseline.build,
    "deep": deep.build,
    **{name: partial(Classifier, name) for name in BACKBONES},
}
