"""Planes of 4:2:0 pictures: between PyAV's padded rows and OpenCV's packed arrays."""

from collections.abc import Iterator

import av
import numpy as np


def plane_pairs(
    picture: "av.VideoFrame", packed: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield two views uint8 (rows, columns) of each plane, to copy one into the other.

    The first is that of the picture, without the padding of its rows; the second that of a packed
    I420 array uint8 (3 H / 2, W).
    """
    values, start = packed.reshape(-1), 0
    for plane in picture.planes:
        padded = np.frombuffer(plane, np.uint8)  # type: ignore[call-overload]  # a buffer in C
        rows = padded.reshape(plane.height, plane.line_size)
        end = start + plane.height * plane.width
        yield rows[:, : plane.width], values[start:end].reshape(plane.height, plane.width)
        start = end
