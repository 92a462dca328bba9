"""Reads picture files upright and in BGR, whatever their mode, and writes them."""

import struct
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from preprocessing.errors import DataError, SinkError

SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"))
TRANSPARENT = (255, 255, 255)  # what shows behind transparent pixels
# What Pillow raises for damaged files.
DAMAGE = (OSError, EOFError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError)


def picture_paths(folder: Path) -> list[Path]:
    """The picture files in a folder and its subfolders, sorted."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)


def read_picture(path: Path) -> np.ndarray:
    """Read a picture file as BGR uint8 (H, W, 3).

    Its EXIF orientation is applied, 16 bits become 8, transparent pixels become white, and of an
    animation the first frame is read.

    Raises:
        DataError: the file is missing, damaged or truncated.
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
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, TRANSPARENT), picture)
    return picture.convert("RGB")


def write_image(path: str | Path, image: np.ndarray) -> None:
    """Write an image file, in the format of its suffix; missing folders are made.

    Args:
        image: uint8 (H, W) grey or (H, W, 3) BGR.

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
