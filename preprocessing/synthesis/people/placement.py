"""Places of people in a frame: before a webcam, side by side, or near and far."""

from dataclasses import dataclass

import numpy as np

# Fractions of scenes with one to six people.
PEOPLE = (0.38, 0.24, 0.16, 0.09, 0.08, 0.05)
WEBCAM, SIDE_BY_SIDE = 0.45, 0.35  # fractions of the arrangements; the others are near and far
MOST_BEFORE_WEBCAM = 3
SHOWN = (0.25, 0.8)  # fraction of a person that the frame's lower border leaves
SLOTS = 0.6  # fraction of scenes in which everybody has a slot of the width
SORTED = 0.5  # fraction of scenes in which the nearest stand before the farthest


@dataclass(frozen=True)
class Place:
    """Where a person stands.

    Attributes:
        middle, foot: column and row of the person's lower end, in pixels of the frame.
        height: of the person, in pixels of the frame.
        near: True before a webcam, whose lower border cuts the person.
    """

    middle: float
    foot: float
    height: float
    near: bool = False


def random_places(size: tuple[int, int], rng: np.random.Generator) -> list[Place]:
    """Places for one to six people that belong together, in the order to draw them.

    Args:
        size: width and height of the frame in pixels.
    """
    width, height = size
    count = 1 + int(rng.choice(len(PEOPLE), p=PEOPLE))
    chance = rng.random()
    near = chance < WEBCAM and count <= MOST_BEFORE_WEBCAM
    if near:
        heights, feet = _before_webcam(count, rng)
    elif chance < WEBCAM + SIDE_BY_SIDE:
        heights, feet = _side_by_side(count, rng)
    else:
        heights, feet = _near_and_far(count, rng)
    middles = _middles(count, rng)
    order = np.argsort(heights) if rng.random() < SORTED else rng.permutation(count)
    return [
        Place(float(middles[k] * width), float(feet[k] * height), float(heights[k] * height), near)
        for k in order
    ]


def _before_webcam(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Heights and feet, as fractions of the frame's height, of people whom its border cuts."""
    heads = rng.uniform(0.02, 0.3, count)
    heights = (1 - heads) / rng.uniform(*SHOWN, count)
    return heights, heads + heights


def _side_by_side(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The same of people who are as far away as each other."""
    share = float(np.exp(rng.uniform(np.log(0.2), np.log(1.2))))
    heights = share * rng.uniform(0.85, 1.15, count)
    ground = rng.uniform(share, 1.05) if share < 1 else rng.uniform(1.0, 1.25)
    return heights, ground + rng.uniform(-0.03, 0.03, count)


def _near_and_far(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The same of people on one floor."""
    heights = np.exp(rng.uniform(np.log(0.12), np.log(1.2), count))
    horizon = rng.uniform(0.2, 0.6)
    return heights, horizon + (1.02 - horizon) * heights**0.7


def _middles(count: int, rng: np.random.Generator) -> np.ndarray:
    """Columns as fractions of the frame's width: a slot each, or anywhere."""
    if count == 1:
        return rng.uniform(0.15, 0.85, 1)
    if rng.random() < SLOTS:
        spread = rng.uniform(0.35, 1.0)
        slots = (np.arange(count) + 0.5) / count * spread + rng.uniform(0, 1 - spread)
        return slots + rng.uniform(-0.06, 0.06, count)
    return rng.uniform(0.05, 0.95, count)
