"""Draws what people hang over their clothes: lanyards with a badge, cords, straps of bags.

They cross a pullover where a jacket would open, and few photos to learn from show one.
"""

import cv2
import numpy as np

TALL = 1.3  # of a body's width, that what covers its upper half is high at most
FINE = 4  # bits behind the point of drawn positions
SINGLE_STRAP, BADGE = 0.25, 0.7  # how likely a strap across is, and a badge on what hangs


def hang(image: np.ndarray, box: np.ndarray, rng: np.random.Generator) -> None:
    """Draw a lanyard, a cord or a strap, in place, over a BGR image's upper garment.

    Args:
        box: (4,), x1 y1 x2 y2 of the garment in pixels; a garment longer than a top counts as one.
    """
    x1, y1, x2, y2 = (float(v) for v in box)
    width = x2 - x1
    height = min(y2 - y1, TALL * width)
    colour = tuple(int(v) for v in rng.integers(0, 256, 3) * rng.uniform(0.2, 1))
    thick = max(1, round(width * rng.uniform(0.006, 0.045)))

    def line(*points: tuple[float, float]) -> None:
        """Through points in shares of the garment's width and height."""
        places = np.array([(x1 + x * width, y1 + y * height) for x, y in points])
        fixed = np.round(places * (1 << FINE)).astype(np.int32)[None]
        cv2.polylines(image, fixed, False, colour, thick, cv2.LINE_AA, FINE)

    middle = rng.uniform(0.4, 0.6)
    if rng.random() < SINGLE_STRAP:
        across = rng.choice((-1, 1)) * rng.uniform(0.2, 0.45)
        line((middle - across / 2, -0.02), (middle + across, rng.uniform(0.7, 1)))
        return
    apart = rng.uniform(0.04, 0.16)
    joint = rng.uniform(0.1, 0.4)
    end = max(joint, rng.uniform(0.3, 0.75))
    line((middle - apart, -0.04), (middle, joint), (middle + apart, -0.04))
    line((middle, joint), (middle, end))
    if rng.random() < BADGE:
        _badge(image, (x1 + middle * width, y1 + end * height), width, rng)


def _badge(
    image: np.ndarray, top: tuple[float, float], width: float, rng: np.random.Generator
) -> None:
    """A light card that hangs from a place, its lower part of another colour."""
    wide, high = width * rng.uniform(0.08, 0.18), width * rng.uniform(0.12, 0.24)
    left, upper = round(top[0] - wide / 2), round(top[1])
    right, lower = round(left + wide), round(upper + high)
    stripe = round(upper + rng.uniform(0.5, 0.9) * high)
    for start, darkest in ((upper, 150), (stripe, 0)):
        colour = rng.integers(darkest, 256, 3).tolist()
        cv2.rectangle(image, (left, start), (right, lower), colour, cv2.FILLED)
