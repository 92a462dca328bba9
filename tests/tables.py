"""Makes a small table of attributes with pictures: a shape in a colour, two views a product."""

from pathlib import Path

import cv2
import numpy as np

COLOURS = {"blue": (200, 40, 30), "red": (30, 40, 200)}
PRODUCTS = 16


def folder(root: Path) -> Path:
    """table.csv and images/: a gap in every fourth row, and one absent picture."""
    (root / "images").mkdir(parents=True)
    rows = []
    for product in range(PRODUCTS):
        colour, shape = ("blue", "red")[product % 2], ("disc", "square")[product // 2 % 2]
        for view in (1, 2):
            name = f"item{product:02d}-{view}.png"
            image = picture(colour, shape, np.random.default_rng(10 * product + view))
            cv2.imwrite(str(root / "images" / name), image)
            known = shape if (product + view) % 4 else "#N/A"
            rows.append(f"{name},{colour},{known}")
    rows.append("absent-1.png,red,disc")
    (root / "table.csv").write_text("\n".join(["filename,colour,shape", *rows]) + "\n")
    return root


def picture(colour: str, shape: str, rng: np.random.Generator) -> np.ndarray:
    """A square or a disc on a noisy ground, BGR uint8 (48, 40, 3)."""
    image = rng.integers(180, 255, (48, 40, 3), np.uint8)
    x, y = (int(v) for v in rng.integers(14, 26, 2))
    if shape == "disc":
        cv2.circle(image, (x, y), 11, COLOURS[colour], cv2.FILLED)
    else:
        cv2.rectangle(image, (x - 10, y - 10), (x + 10, y + 10), COLOURS[colour], -1)
    return image


def flags(root: Path) -> list[str]:
    """The flags that name the table and its pictures."""
    return ["--table", str(root / "table.csv"), "--images", str(root / "images")]


# A table as people have it: gaps in three spellings, numbers as floats, views of one product.
TEXT_WITH_GAPS = (
    "filename,neck,sleeve\r\n"
    "a-1.jpg,2,#N/A\r\n"
    "a-2.jpg,10,0\r\n"
    "b-1.jpg,,1.0\r\n"
    "b-1.jpg,2,1\r\n"
    "c-1.jpg,nan,0\r\n"
    "c-1.jpg,10,1\r\n"
)
