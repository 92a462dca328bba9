"""Makes small data sets of drawn people with masks."""

from pathlib import Path

import cv2
import numpy as np

LABELS = {0: "null", 1: "skin", 2: "t-shirt", 3: "jeans"}
COLOURS = np.array([(200, 210, 190), (150, 180, 230), (40, 40, 200), (160, 60, 30)], np.uint8)


def person(
    rng: np.random.Generator, *, size: tuple[int, int] = (96, 160)
) -> tuple[np.ndarray, np.ndarray]:
    """A drawn figure and its mask: head, top and trousers, somewhere on plain ground."""
    width, height = size
    mask = np.zeros((height, width), np.uint8)
    x, y = int(rng.integers(20, width - 50)), int(rng.integers(5, 30))
    cv2.circle(mask, (x + 15, y + 8), 8, 1, cv2.FILLED)
    cv2.rectangle(mask, (x, y + 18), (x + 30, y + 60), 2, cv2.FILLED)
    cv2.rectangle(mask, (x + 3, y + 61), (x + 27, y + 115), 3, cv2.FILLED)
    image = COLOURS[mask].astype(int) + rng.integers(-10, 10, (height, width, 1))
    return np.clip(image, 0, 255).astype(np.uint8), mask


def folder(root: Path, *, count: int = 16) -> Path:
    """A folder with photos/, masks/ and labels.csv; of 16 photos 13 train and one validates."""
    for name in ("photos", "masks"):
        (root / name).mkdir(parents=True)
    rows = "".join(f"{value},{name},1\n" for value, name in LABELS.items())
    (root / "labels.csv").write_text("id,name,photos\n" + rows)
    rng = np.random.default_rng(0)
    for number in range(count):
        image, mask = person(rng)
        cv2.imwrite(str(root / "photos" / f"street-{number:02d}.jpg"), image)
        cv2.imwrite(str(root / "masks" / f"street-{number:02d}.png"), mask)
    return root


def garments(root: Path, *, count: int = 3) -> Path:
    """A CSV of photos of single garments: T-shirts of one colour on light ground."""
    (root / "garments").mkdir(parents=True)
    rows = ["path,label,group\n"]
    for number in range(count):
        image = np.full((120, 100, 3), 235, np.uint8)
        cv2.rectangle(image, (25, 25), (75, 95), (40, 40, 160), cv2.FILLED)
        cv2.imwrite(str(root / "garments" / f"{number}.png"), image)
        rows.append(f"garments/{number}.png,t-shirt,{number}\n")
    (root / "garments.csv").write_text("".join(rows))
    return root / "garments.csv"
