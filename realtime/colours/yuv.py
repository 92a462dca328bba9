"""Colours of coded pictures: from the planes of a decoder to BGR and back, by one matrix.

A file's own matrix (BT.601, BT.709, BT.2020) and range (limited, full) are used both ways, so that
colours come out as they came in. HDR becomes SDR, which encoders of 8 bits and networks are for.
"""

from collections.abc import Iterator
from functools import lru_cache

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, VideoReformatter

from realtime.colours.tone_mapping import EXACT, HDR_TRANSFERS, ToneMapper
from realtime.runtime.worker import codec_threads
from realtime.types import Colours

# Weights of red and blue in the luma by code of ISO/IEC 23091-2.
WEIGHTS = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
}
BT601 = 6
OPENCV_MATRICES = (5, 6)  # which OpenCV converts with
RGB, UNSPECIFIED = 0, 2
SDR = Colours(matrix=1, primaries=1, transfer=1)  # BT.709


def matrix_of(code: int) -> int:
    """The matrix to convert with: that of a code, or BT.601 for unspecified and rare ones.

    For unspecified colours players and FFmpeg do the same; those of rare matrices are changed and
    changed back.
    """
    return code if code in WEIGHTS else BT601


def colours_of(picture: "av.VideoFrame") -> Colours:
    """The colours of a video whose frames become BGR by `BgrConverter`, for its encoder."""
    if picture.color_trc in HDR_TRANSFERS:
        return SDR
    found = Colours(picture.colorspace, picture.color_primaries, picture.color_trc)
    if _is_rgb(picture) or found.matrix == RGB:  # its pixels are encoded as those of pictures
        pairs = (found.primaries, Colours().primaries), (found.transfer, Colours().transfer)
        return Colours(BT601, *(own if own != UNSPECIFIED else usual for own, usual in pairs))
    return found


class BgrConverter:
    """Converts the pictures of one decoder to BGR uint8 (H, W, 3).

    FFmpeg's scaler is exact and knows every format; for the most frequent one OpenCV is three times
    as fast.
    """

    def __init__(self) -> None:
        self._scaler, self._tone_mapper = VideoReformatter(), ToneMapper()

    def __call__(self, picture: "av.VideoFrame") -> np.ndarray:
        """Return the picture in BGR; HDR is tone-mapped to SDR."""
        if picture.color_trc in HDR_TRANSFERS:
            return self._tone_mapper(picture)
        if matrix_of(picture.colorspace) in OPENCV_MATRICES and _is_plain(picture):
            packed = np.empty((picture.height * 3 // 2, picture.width), np.uint8)
            for rows, plane in plane_pairs(picture, packed):
                plane[:] = rows
            return cv2.cvtColor(packed, cv2.COLOR_YUV2BGR_I420)
        if not _is_rgb(picture):
            picture.colorspace = matrix_of(picture.colorspace)
        return self._scaler.reformat(
            picture, format="bgr24", interpolation=EXACT, threads=codec_threads()
        ).to_ndarray()


def _is_rgb(picture: "av.VideoFrame") -> bool:
    return picture.format.is_rgb or picture.format.has_palette


def _is_plain(picture: "av.VideoFrame") -> bool:
    """True for 4:2:0 of 8 bits, limited range and even size, as most files have it."""
    even = not (picture.width % 2 or picture.height % 2)
    limited = picture.color_range != ColorRange.JPEG
    return picture.format.name == "yuv420p" and even and limited


def to_i420(image: np.ndarray, *, matrix: int, out: np.ndarray) -> None:
    """Convert BGR to 4:2:0 of limited range.

    Args:
        image: BGR uint8 (H, W, 3) of even size.
        matrix: a code of ISO/IEC 23091-2.
        out: uint8 (3 H / 2, W), filled with the three planes.
    """
    matrix = matrix_of(matrix)
    if matrix in OPENCV_MATRICES:
        cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420, dst=out)
        return
    height, width = image.shape[:2]
    luma, *chroma = cv2.split(cv2.transform(image, _to_ycc(matrix)))
    out[:height] = luma
    for plane, half in zip(chroma, out[height:].reshape(2, height // 2, width // 2), strict=True):
        cv2.resize(plane, (width // 2, height // 2), dst=half, interpolation=cv2.INTER_AREA)


@lru_cache
def _to_ycc(matrix: int) -> np.ndarray:
    """Float32 (3, 4) that takes (B, G, R, 1) to Y, Cb, Cr of limited range (ITU-R BT.601, 709)."""
    red, blue = WEIGHTS[matrix]
    luma = np.array([blue, 1 - red - blue, red])
    cb = (np.array([1, 0, 0]) - luma) / (2 * (1 - blue))
    cr = (np.array([0, 0, 1]) - luma) / (2 * (1 - red))
    scaled = np.stack([219 * luma, 224 * cb, 224 * cr]) / 255
    return np.column_stack([scaled, (16, 128, 128)]).astype(np.float32)


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
