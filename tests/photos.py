"""Makes small photo data sets: one plain garment shape a class, on varied grounds."""

from pathlib import Path

import cv2
import numpy as np

SHAPES = {
    "band": (8, 40, 56, 24),
    "block": (12, 12, 40, 40),
    "strip": (26, 4, 12, 56),
}  # x, y, w, h


def photo(label: str, seed: int) -> np.ndarray:
    """A BGR picture 64x64 of a class: its shape in a random colour on a noisy ground."""
    rng = np.random.default_rng(seed)
    image = rng.integers(150, 255, (64, 64, 3), np.uint8)
    x, y, width, height = SHAPES[label]
    colour = tuple(int(value) for value in rng.integers(0, 100, 3))
    cv2.rectangle(image, (x, y), (x + width, y + height), colour, cv2.FILLED)
    return image


def folder(root: Path, *, each: int = 12) -> Path:
    """A folder a class with `each` pictures."""
    for number, label in enumerate(SHAPES):
        (root / label).mkdir(parents=True)
        for index in range(each):
            path = root / label / f"{index:02d}.png"
            cv2.imwrite(str(path), photo(label, seed=100 * number + index))
    return root
