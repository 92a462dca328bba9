"""Colours of coded pictures: from the planes of a decoder to BGR and back, by one matrix.

A file's own matrix (BT.601, BT.709, BT.2020) and range (limited, full) are used both ways, so that
colours come out as they came in. HDR becomes SDR, which encoders of 8 bits and networks are for.
"""

from collections.abc import Iterator
from functools import lru_cache

import av
import cv2
import numpy as np
from av.video.plane import VideoPlane
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
# Pixels across and down of a value of chroma, by formats of 8 bits in planes.
NV12 = "nv12"  # of decoders on graphics cards: both values of chroma side by side in one plane
PLANAR = {
    NV12: (2, 2), "yuv420p": (2, 2), "yuvj420p": (2, 2), "yuv422p": (2, 1), "yuvj422p": (2, 1),
    "yuv444p": (1, 1), "yuvj444p": (1, 1),
}  # fmt: skip
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

    FFmpeg's scaler knows every format; for the frequent ones OpenCV is five times as fast, and
    rounds each value once.
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
        if picture.format.name in PLANAR:
            return _from_planes(picture)
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


def _from_planes(picture: "av.VideoFrame") -> np.ndarray:
    """A picture of one of the formats PLANAR in BGR uint8 (H, W, 3)."""
    across, down = PLANAR[picture.format.name]
    first, *others = picture.planes
    luma = _rows_of(first)
    if picture.format.name == NV12:
        chroma = list(cv2.split(_rows_of(others[0], two=True)))
    else:
        chroma = list(map(_rows_of, others))
    sides = chroma[0].shape[1] * across, chroma[0].shape[0] * down
    wide = [cv2.resize(plane, sides, interpolation=cv2.INTER_LINEAR) for plane in chroma]
    height, width = luma.shape
    pixels = cv2.merge([luma, *(plane[:height, :width] for plane in wide)])
    full = picture.color_range == ColorRange.JPEG or picture.format.name.startswith("yuvj")
    return cv2.transform(pixels, _from_ycc(matrix_of(picture.colorspace), full=full))


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


@lru_cache
def _from_ycc(matrix: int, *, full: bool) -> np.ndarray:
    """Float32 (3, 4) that takes (Y, Cb, Cr, 1) of limited or full range to B, G, R."""
    to_ycc = np.vstack([_to_ycc(matrix).astype(float), (0, 0, 0, 1)])
    if full:
        to_ycc[:3, :3] *= np.array([[255 / 219], [255 / 224], [255 / 224]])
        to_ycc[0, 3] = 0
    return np.linalg.inv(to_ycc)[:3].astype(np.float32)


def plane_pairs(
    picture: "av.VideoFrame", packed: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield two views uint8 (rows, columns) of each plane, to copy one into the other.

    The first is that of the picture, without the padding of its rows; the second that of a packed
    I420 array uint8 (3 H / 2, W).
    """
    values, start = packed.reshape(-1), 0
    for plane in picture.planes:
        end = start + plane.height * plane.width
        yield _rows_of(plane), values[start:end].reshape(plane.height, plane.width)
        start = end


def _rows_of(plane: "VideoPlane", *, two: bool = False) -> np.ndarray:
    """View uint8 (rows, columns) of a plane, without the padding of its rows; (.., 2) if `two`."""
    padded = np.frombuffer(plane, np.uint8)  # type: ignore[call-overload]  # a buffer in C
    values = plane.width * (2 if two else 1)
    rows = padded.reshape(plane.height, plane.line_size)[:, :values]
    return rows.reshape(plane.height, plane.width, 2) if two else rows
