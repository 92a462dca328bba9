"""The shape that a network is built to: part of recipes and of weight files' metadata."""

from dataclasses import dataclass

HEADS = ("linear", "hidden", "custom", "bilinear")
STRIDE = 32  # pixels; sides of the input of detectors and parsers are multiples of it


@dataclass(frozen=True)
class Shape:
    """Input and output of a classifier, which decide the shapes of its weights.

    Attributes:
        classes: number of outputs.
        size: side of the square input in pixels.
        channels: 1 (grey) or 3 (BGR).
        head: a name of HEADS.
    """

    classes: int
    size: int = 28
    channels: int = 1
    head: str = "linear"
