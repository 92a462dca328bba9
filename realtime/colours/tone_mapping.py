"""HDR video (PQ, HLG) as SDR of BT.709, which networks, encoders of 8 bits and screens are for.

Its light is computed by ITU-R BT.2100, compressed to the range of SDR by the curve of BT.2390, and
put into a table of colours, which FFmpeg applies.
"""

import tempfile
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import av.filter
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from preprocessing.errors import SourceError
from realtime.runtime.worker import codec_threads

PQ, HLG = HDR_TRANSFERS = (16, 18)  # codes of ISO/IEC 23091-2
BT2020 = 9
SIDE = 33  # of the table
PEAK, WHITE = 1000.0, 203.0  # cd/m2: the brightest light that is kept, and paper (BT.2408)
# Linear light of BT.2020's primaries (rows: red, green, blue) in those of BT.709 (BT.2087).
TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
)
LUMA = np.array([0.2627, 0.6780, 0.0593])  # of BT.2020
FORMAT = "gbrp10le"
EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


class ToneMapper:
    """Maps the pictures of one HDR video to BGR uint8 (H, W, 3)."""

    def __init__(self) -> None:
        self._graph: av.filter.Graph | None = None
        self._made_for: tuple[int, ...] = ()
        self._to_rgb, self._to_bgr = VideoReformatter(), VideoReformatter()

    def __call__(self, picture: "av.VideoFrame") -> np.ndarray:
        """Return the picture in BGR."""
        wanted = (picture.width, picture.height, picture.color_trc, picture.color_primaries)
        if self._graph is None or wanted != self._made_for:
            self._graph, self._made_for = _graph(*wanted), wanted
        rgb = self._to_rgb.reformat(
            picture, format=FORMAT, interpolation=EXACT, threads=codec_threads()
        )
        rgb.pts = None
        self._graph.vpush(rgb)
        mapped = self._graph.vpull()
        return self._to_bgr.reformat(
            mapped, format="bgr24", interpolation=EXACT, threads=codec_threads()
        ).to_ndarray()


def _graph(width: int, height: int, transfer: int, primaries: int) -> "av.filter.Graph":
    """FFmpeg's filter that applies the table, which it reads from a file."""
    graph = av.filter.Graph()
    layout = av.VideoFormat(FORMAT)
    source = graph.add_buffer(width=width, height=height, format=layout, time_base=Fraction(1))
    with _folder() as folder:
        path = Path(folder) / "hdr.cube"
        path.write_text(cube(transfer, primaries))
        table = graph.add("lut3d", file=str(path), interp="tetrahedral")
        sink = graph.add("buffersink")
        source.link_to(table)
        table.link_to(sink)
        graph.configure()
    return graph


def _folder() -> "tempfile.TemporaryDirectory[str]":
    try:
        return tempfile.TemporaryDirectory()
    except OSError as error:
        raise SourceError(f"HDR needs a temporary folder ({error.strerror}): TMPDIR may name one"
                          ) from error  # fmt: skip


@lru_cache
def cube(transfer: int, primaries: int = BT2020) -> str:
    """The table in the .cube format: red rises fastest."""
    steps = np.linspace(0, 1, SIDE)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    colours = sdr_of(np.stack([red, green, blue], axis=-1).reshape(-1, 3), transfer, primaries)
    lines = "\n".join(" ".join(f"{value:.5f}" for value in colour) for colour in colours)
    return f"LUT_3D_SIZE {SIDE}\n{lines}\n"


def sdr_of(signal: np.ndarray, transfer: int, primaries: int = BT2020) -> np.ndarray:
    """Return colours in BT.709 for those of HDR.

    Args:
        signal: RGB (N, 3), 0 to 1.
        transfer: PQ or HLG.
        primaries: other codes than BT2020 and 2, unspecified, are taken for those of BT.709.
    """
    light = LIGHT[transfer](signal)
    if primaries in (BT2020, 2):
        light = light @ TO_BT709.T
    light = np.clip(light, 0, PEAK)
    strongest = np.maximum(light.max(axis=1, keepdims=True), 1e-6)
    scaled = light * _compressed(strongest) / strongest / WHITE
    return np.clip(np.where(scaled < 0.018, 4.5 * scaled, 1.099 * scaled**0.45 - 0.099), 0, 1)


def _pq_light(signal: np.ndarray) -> np.ndarray:
    """Light in cd/m2 (BT.2100, table 4)."""
    root = signal ** (1 / 78.84375)
    return 10_000 * (np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (
        1 / 0.1593017578125
    )


def _pq_signal(light: np.ndarray) -> np.ndarray:
    power = (light / 10_000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def _hlg_light(signal: np.ndarray) -> np.ndarray:
    """Light in cd/m2 on a screen of PEAK (BT.2100, table 5)."""
    scene = np.where(
        signal <= 0.5, signal**2 / 3, (np.exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12
    )
    luminance = np.maximum(scene @ LUMA, 1e-9)[:, None]
    return PEAK * luminance**0.2 * scene


LIGHT: dict[int, Callable[[np.ndarray], np.ndarray]] = {PQ: _pq_light, HLG: _hlg_light}


def _compressed(light: np.ndarray) -> np.ndarray:
    """Light of 0 to PEAK in the range of 0 to WHITE (BT.2390, 5.4.1): dark parts stay as they are.

    A Hermite spline in PQ from the knee on.
    """
    top = _pq_signal(np.array(PEAK))
    given, highest = _pq_signal(light) / top, _pq_signal(np.array(WHITE)) / top
    knee = 1.5 * highest - 0.5
    t = np.maximum(given - knee, 0) / (1 - knee)
    spline = (
        (2 * t**3 - 3 * t**2 + 1) * knee
        + (t**3 - 2 * t**2 + t) * (1 - knee)
        + (3 * t**2 - 2 * t**3) * highest
    )
    return _pq_light(np.where(given < knee, given, spline) * top)
