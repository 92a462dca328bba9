"""Contact sheets: many small pictures on one, to check data and errors by eye."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from preprocessing.images.pictures import read_picture

CAPTION_HEIGHT = 14
FONT, FONT_SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.32
WHITE = (255, 255, 255)
COLOURS = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178))  # BGR
SHEET_GREY, TILE_GREY = 32, 40  # between the tiles; beside a picture on its tile


@dataclass(frozen=True, eq=False)
class Mark:
    """A box to draw on a picture's tile.

    Attributes:
        box: (4,), x1 y1 x2 y2 in pixels of the picture.
        colour: BGR.
        width: of its line, in pixels of the tile.
    """

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
        columns: tiles in a row.
        captions: one short text for each tile, drawn under it.
        scale: enlargement of every tile (nearest neighbour).
    """
    height, width = (scale * side for side in images[0].shape[:2])
    tile_height = height + (CAPTION_HEIGHT if captions else 0)
    rows = -(-len(images) // columns)
    sheet = np.full((rows * (tile_height + 2), columns * (width + 2), 3), SHEET_GREY, np.uint8)
    for index, image in enumerate(images):
        top, left = index // columns * (tile_height + 2), index % columns * (width + 2)
        tile = cv2.resize(image, (width, height), interpolation=cv2.INTER_NEAREST)
        if tile.ndim == 2:
            tile = cv2.cvtColor(tile, cv2.COLOR_GRAY2BGR)
        sheet[top : top + height, left : left + width] = tile
        if captions:
            _write(sheet, captions[index], place=(left, top + height + 10), colour=WHITE)
    return sheet


def picture_sheet(paths: Sequence[Path], *, side: int, columns: int, most: int) -> np.ndarray:
    """A contact sheet of picture files, evenly chosen if there are more than `most`.

    Raises:
        DataError: one cannot be read.
    """
    shown = paths[:: max(1, len(paths) // most)][:most]
    tiles = [cv2.resize(read_picture(path), (side, side)) for path in shown]
    return contact_sheet(tiles, columns=columns)


def marked_tile(image: np.ndarray, marks: Iterable[Mark], *, side: int) -> np.ndarray:
    """A BGR picture, scaled into a square of `side` pixels, with its marks."""
    scale = side / max(image.shape[:2])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    small = small[:side, :side]
    tile = np.full((side, side, 3), TILE_GREY, np.uint8)
    tile[: small.shape[0], : small.shape[1]] = small
    for mark in marks:
        x1, y1, x2, y2 = (round(float(value) * scale) for value in mark.box)
        cv2.rectangle(tile, (x1, y1), (x2, y2), mark.colour, mark.width)
        _write(tile, mark.text, place=(x1 + 1, max(9, y1 - 2)), colour=mark.colour)
    return tile


def class_colour(label: int) -> tuple[int, int, int]:
    """The colour for the marks of a class, BGR."""
    return COLOURS[label % len(COLOURS)]


def _write(
    image: np.ndarray, text: str, *, place: tuple[int, int], colour: tuple[int, int, int]
) -> None:
    cv2.putText(image, text, place, FONT, FONT_SCALE, colour, 1, cv2.LINE_AA)
