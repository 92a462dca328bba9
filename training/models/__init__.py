"""The networks, one a file. A build function takes the number of classes and returns a module
that maps uint8 images (N, C, H, W) to logits (N, classes).

MODELS is the only list of them: the contract tests run over its rows.
"""

from training.models import baseline, deep

MODELS = {
    "baseline": baseline.build,
    "deep": deep.build,
}
