"""Many small pictures on one sheet, for looking at data and mistakes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from preprocessing.errors import SinkError

CAPTION_HEIGHT = 14
COLOURS = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178))
EMPTY = 40  # grey of a tile where its picture is not


@dataclass(frozen=True)
class Mark:
    """A box x1, y1, x2, y2, in pixels of its picture, that is drawn on the picture's tile."""

    box: np.ndarray
    colour: tuple[int, int, int]
    text: str = ""
    width: int = 1


def contact_sheet(
    images: Sequence[np.ndarray],
    *,
    columns: int,
    captions: Sequence[str] | None = None,
    scale: int = 1,
) -> np.ndarray:
    """A BGR uint8 sheet of equally large tiles, row by row.

    Args:
        images: uint8 (H, W) grey or (H, W, 3) BGR, all of one size.
        columns: tiles a row.
        captions: one short text a tile, drawn under it.
        scale: enlargement of every tile (nearest neighbour).
    """
    height, width = (scale * side for side in images[0].shape[:2])
    tile_height = height + (CAPTION_HEIGHT if captions else 0)
    rows = -(-len(images) // columns)
    sheet = np.full((rows * (tile_height + 2), columns * (width + 2), 3), 32, np.uint8)
    for index, image in enumerate(images):
        top, left = index // columns * (tile_height + 2), index % columns * (width + 2)
        tile = cv2.resize(image, (width, height), interpolation=cv2.INTER_NEAREST)
        if tile.ndim == 2:
            tile = cv2.cvtColor(tile, cv2.COLOR_GRAY2BGR)
        sheet[top : top + height, left : left + width] = tile
        if captions:
            cv2.putText(
                sheet,
                captions[index],
                (left, top + height + 10),
                cv2.FONT_HERSHEY_SIMPLEX,
                0.32,
                (255, 255, 255),
                1,
                cv2.LINE_AA,
            )
    return sheet


def class_colour(label: int) -> tuple[int, int, int]:
    """A colour for the marks of a class."""
    return COLOURS[label % len(COLOURS)]


def marked_tile(image: np.ndarray, marks: Iterable[Mark], *, side: int) -> np.ndarray:
    """A BGR picture, scaled into a square of `side` pixels, with its marks."""
    scale = side / max(image.shape[:2])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    small = small[:side, :side]
    tile = np.full((side, side, 3), EMPTY, np.uint8)
    tile[: small.shape[0], : small.shape[1]] = small
    for mark in marks:
        x1, y1, x2, y2 = (round(float(value) * scale) for value in mark.box)
        cv2.rectangle(tile, (x1, y1), (x2, y2), mark.colour, mark.width)
        place = (x1 + 1, max(9, y1 - 2))
        cv2.putText(tile, mark.text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.32, mark.colour, 1,
                    cv2.LINE_AA)  # fmt: skip
    return tile


def write_image(path: str | Path, image: np.ndarray) -> None:
    """Write an image file, its folder made if need be.

    Raises:
        SinkError: the file cannot be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        done, data = cv2.imencode(path.suffix or ".png", image)
        if not done:
            raise SinkError(f"cannot encode {path}: use a .png or .jpg name")
        path.write_bytes(data.tobytes())
    except (OSError, cv2.error) as error:
        raise SinkError(f"cannot write {path}: {error}") from error
