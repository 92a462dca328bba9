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


def parsed_people(root: Path, masks: dict[str, np.ndarray], names: dict[int, str]) -> Path:
    """A folder of grey photos of people with masks, both by file name, and labels.csv."""
    for part in ("photos", "masks"):
        (root / part).mkdir(parents=True)
    for name, mask in masks.items():
        cv2.imwrite(str(root / "photos" / f"{name}.jpg"), np.full((*mask.shape, 3), 120, np.uint8))
        cv2.imwrite(str(root / "masks" / f"{name}.png"), mask)
    rows = "".join(f"{number},{name},1\n" for number, name in names.items())
    (root / "labels.csv").write_text("id,name,photos\n" + rows)
    return root


def painted(size: tuple[int, int], *patches: tuple[int, int, int, int, int]) -> np.ndarray:
    """A mask of (width, height) with rectangles (value, x1, y1, x2, y2)."""
    mask = np.zeros(size[::-1], np.uint8)
    for value, x1, y1, x2, y2 in patches:
        mask[y1:y2, x1:x2] = value
    return mask
