"""`baseline`: one wide convolution, batch norm and a fully connected layer under the outputs."""

from torch import nn

from preprocessing.errors import UsageError
from training.inference.weights import Shape
from training.models.layers import make_head, normalise_for

FILTERS = 128
POOL = 4  # pixels; two leave four times the features, which are learnt by heart


def baseline(shape: Shape, *, dropout: float) -> nn.Module:
    """A shallow network, made for (N, 1, 28, 28).

    Raises:
        UsageError: a bilinear head.
    """
    if shape.head == "bilinear":
        raise UsageError("--head bilinear: baseline is too shallow for it, give another --model")
    return nn.Sequential(
        normalise_for(shape.channels),
        nn.Conv2d(shape.channels, FILTERS, 5, padding=2, bias=False),  # (N, 128, 28, 28)
        # Pooling first leaves batch norm and ReLU a sixteenth of the work.
        nn.MaxPool2d(POOL),  # (N, 128, 7, 7)
        nn.BatchNorm2d(FILTERS),
        nn.ReLU(),
        nn.Flatten(),
        make_head(FILTERS * (shape.size // POOL) ** 2, shape, dropout=dropout),
    )
