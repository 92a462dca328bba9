"""Reads pictures as people see them: upright, in BGR, whatever mode the file has."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from preprocessing.errors import DataError
from preprocessing.images.contact_sheet import contact_sheet

SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"))
PAPER = (255, 255, 255)  # behind transparent pixels
DAMAGE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)  # what Pillow raises


def picture_paths(folder: Path) -> list[Path]:
    """The picture files of a folder and of those in it, in order."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)


def read_picture(path: Path) -> np.ndarray:
    """A picture file as BGR uint8 (H, W, 3).

    Its EXIF rotation is applied, 16 bits become 8, transparency becomes white.

    Raises:
        DataError: the file is missing, damaged or cut short.
    """
    try:
        with Image.open(path) as file:
            rgb = np.asarray(_rgb(ImageOps.exif_transpose(file)))
    except FileNotFoundError as error:
        raise DataError(f"no picture {path}") from error
    except DAMAGE as error:
        raise DataError(f"cannot read {path} ({error})") from error
    return np.ascontiguousarray(rgb[..., ::-1])


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):  # 16 bits in 16 or 32; Pillow would clip them
        grey = np.clip(np.asarray(picture, np.float64) / 257, 0, 255)
        return Image.fromarray(grey.astype(np.uint8)).convert("RGB")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        paper = Image.new("RGBA", picture.size, PAPER)
        picture = Image.alpha_composite(paper, picture)
    return picture.convert("RGB")


def picture_sheet(paths: Sequence[Path], *, side: int, columns: int, most: int) -> np.ndarray:
    """A contact sheet of picture files, evenly chosen where there are more than `most`.

    Raises:
        DataError: one cannot be read.
    """
    shown = paths[:: max(1, len(paths) // most)][:most]
    tiles = [cv2.resize(read_picture(path), (side, side)) for path in shown]
    return contact_sheet(tiles, columns=columns)
