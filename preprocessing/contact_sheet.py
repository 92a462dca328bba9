"""Many small pictures on one sheet, for looking at data and mistakes."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from preprocessing.errors import SinkError

CAPTION_HEIGHT = 14


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
