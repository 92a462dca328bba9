"""Occlusion augmentation: lanyards with a badge, cords and bag straps over an upper garment.

They cross a pullover where a jacket would open, and few photos to learn from show one.
"""

import cv2
import numpy as np

TALLEST = 1.3  # maximum height of the occluded part, as a multiple of the garment's width
FRACTION_BITS = 4  # of drawn positions
STRAP, BADGE = 0.25, 0.7  # probabilities of a single strap, and of a badge on a lanyard


def draw_occluder(image: np.ndarray, box: np.ndarray, rng: np.random.Generator) -> None:
    """Draw a lanyard, a cord or a strap over a garment, in place.

    Args:
        image: BGR uint8 (H, W, 3).
        box: (4,), x1 y1 x2 y2 of an upper garment in pixels; only the upper part of a longer one
            is used.
    """
    x1, y1, x2, y2 = (float(v) for v in box)
    width = x2 - x1
    height = min(y2 - y1, TALLEST * width)
    brightness = rng.integers(0, 256, 3) * rng.uniform(0.2, 1)
    colour = tuple(int(v) for v in brightness)
    thickness = max(1, round(width * rng.uniform(0.006, 0.045)))

    def line(*points: tuple[float, float]) -> None:
        """Draw a line through points in fractions of the garment's width and height."""
        places = np.array([(x1 + x * width, y1 + y * height) for x, y in points])
        fixed = np.round(places * (1 << FRACTION_BITS)).astype(np.int32)
        cv2.polylines(image, [fixed], False, colour, thickness, cv2.LINE_AA, FRACTION_BITS)

    middle = rng.uniform(0.4, 0.6)
    if rng.random() < STRAP:
        across = rng.choice((-1, 1)) * rng.uniform(0.2, 0.45)
        line((middle - across / 2, -0.02), (middle + across, rng.uniform(0.7, 1)))
        return
    apart = rng.uniform(0.04, 0.16)
    knot = rng.uniform(0.1, 0.4)
    end = max(knot, rng.uniform(0.3, 0.75))
    line((middle - apart, -0.04), (middle, knot), (middle + apart, -0.04))
    line((middle, knot), (middle, end))
    if rng.random() < BADGE:
        _draw_badge(image, rng, top=(x1 + middle * width, y1 + end * height), width=width)


def _draw_badge(
    image: np.ndarray, rng: np.random.Generator, *, top: tuple[float, float], width: float
) -> None:
    """Draw a light card that hangs from a point, its lower part in another colour."""
    wide, high = width * rng.uniform(0.08, 0.18), width * rng.uniform(0.12, 0.24)
    left, upper = round(top[0] - wide / 2), round(top[1])
    right, lower = round(left + wide), round(upper + high)
    stripe = round(upper + rng.uniform(0.5, 0.9) * high)
    for start, darkest in ((upper, 150), (stripe, 0)):
        colour = rng.integers(darkest, 256, 3).tolist()
        cv2.rectangle(image, (left, start), (right, lower), colour, cv2.FILLED)
