"""The planes of 4:2:0 pictures beside packed arrays: both ways between PyAV and OpenCV."""

from collections.abc import Iterator

import av
import numpy as np


def paired(picture: "av.VideoFrame", packed: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Views uint8 (rows, columns) of each plane: of a picture, without its rows' padding, and of
    the same place in a packed array uint8 (3 H / 2, W)."""
    values, start = packed.reshape(-1), 0
    for plane in picture.planes:
        rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
        end = start + plane.height * plane.width
        yield rows[:, : plane.width], values[start:end].reshape(plane.height, plane.width)
        start = end
