"""The head that all networks share: from features to logits."""

from torch import nn

from training.shape import Shape

HIDDEN = 256  # units of the hidden head


def make_head(features: int, shape: Shape, *, dropout: float) -> nn.Module:
    """Features (N, features) to logits; "hidden" puts 256 units with ReLU before the outputs."""
    if shape.head == "linear":
        return nn.Sequential(nn.Dropout(dropout), nn.Linear(features, shape.classes))
    return nn.Sequential(
        nn.Linear(features, HIDDEN),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(HIDDEN, shape.classes),
    )
