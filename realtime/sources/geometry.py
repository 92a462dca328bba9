"""How a stored picture lies on the screen: turned, mirrored, at another size than the first."""

import struct
from dataclasses import dataclass

import av
import cv2
import numpy as np
from av.buffer import Buffer


@dataclass(frozen=True)
class Orientation:
    """One of the eight ways in which a picture may be stored.

    Attributes:
        swapped: rows and columns are exchanged first.
        mirrored, flipped: then left and right, and top and bottom.
    """

    swapped: bool = False
    mirrored: bool = False
    flipped: bool = False

    def upright(self, image: np.ndarray) -> np.ndarray:
        """Return an image (H, W, 3) as it is to be seen."""
        if self.swapped:
            image = cv2.transpose(image)
        if self.mirrored or self.flipped:
            both = self.mirrored and self.flipped
            image = cv2.flip(image, -1 if both else 1 if self.mirrored else 0)
        return image


TURNS = {  # by degrees against the clock
    90: Orientation(swapped=True, flipped=True),
    180: Orientation(mirrored=True, flipped=True),
    270: Orientation(swapped=True, mirrored=True),
}


def orientation_of(picture: "av.VideoFrame") -> Orientation:
    """The nearest orientation to a picture's display matrix (ISO/IEC 14496-12, 8.3.2)."""
    try:
        data = picture.side_data.get("DISPLAYMATRIX")
    except ValueError:  # PyAV knows no EXIF, which JPEGs in a video or pipe may have
        return TURNS.get(round(picture.rotation) % 360, Orientation())
    if not isinstance(data, Buffer):
        return Orientation()
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(data))
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(mirrored=a < 0, flipped=d < 0)
    return Orientation(swapped=True, mirrored=c < 0, flipped=b < 0)


def letterboxed(image: np.ndarray, *, width: int, height: int) -> np.ndarray:
    """Scale an image (H, W, 3) into width x height, its shape kept, with black bars around it."""
    rows, columns = image.shape[:2]
    if (columns, rows) == (width, height):
        return image
    scale = min(width / columns, height / rows)
    columns, rows = max(1, round(columns * scale)), max(1, round(rows * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    image = cv2.resize(image, (columns, rows), interpolation=method)
    right, bottom = width - columns, height - rows
    sides = bottom // 2, bottom - bottom // 2, right // 2, right - right // 2
    return cv2.copyMakeBorder(image, *sides, cv2.BORDER_CONSTANT)
