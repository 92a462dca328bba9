"""Encoders of labelled videos: ENCODERS, the table behind --encoder, and which of them are here.

Those of graphics cards need the card, its driver and a build of FFmpeg for it: an encoder counts as
here once it opened. Imports nothing heavy, so that --help answers at once.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache

from preprocessing.errors import DeviceError

logger = logging.getLogger(__name__)

AUTO, DEFAULT = "auto", "libx264"
TRIAL_SIDE = 256  # pixels: no encoder takes 64, some not 128
APPLE_QUALITY = "7080"  # 60 of 100, in FFmpeg's units of 118
# No B-frames and no look-ahead: nothing waits inside the encoder, and time order is file order.
# Whole-pixel motion and CAVLC: a third less time for a sixth more bytes, no visible difference.
X264 = {"preset": "superfast", "crf": "23", "bf": "0", "x264-params": "subme=0:cabac=0"}
X265 = {"preset": "superfast", "crf": "26", "x265-params": "log-level=error:bframes=0"}
NVENC = {"preset": "p4", "tune": "hq", "rc": "vbr", "cq": "23", "b": "0", "bf": "0"}
QSV = {"preset": "veryfast", "global_quality": "23", "look_ahead": "0", "bf": "0"}
AMF = {"quality": "balanced", "rc": "cqp", "qp_i": "23", "qp_p": "23", "bf": "0"}
APPLE = {"flags": "+qscale", "global_quality": APPLE_QUALITY, "bf": "0"}


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """An encoder of FFmpeg.

    Attributes:
        name: FFmpeg's.
        options: of about the same quality for each.
        live: further ones, where a viewer waits for each frame.
        pix_fmt: of 4:2:0, that it takes.
        tag: of its track in mp4 and mov, where players ask for another than FFmpeg's.
    """

    name: str
    options: Mapping[str, str]
    live: Mapping[str, str] = field(default_factory=dict)
    pix_fmt: str = "yuv420p"
    tag: str = ""

    def tag_in(self, container: str) -> str:
        """The tag of its track in a container of FFmpeg's name; "" for FFmpeg's choice."""
        return self.tag if container in ("mp4", "mov") else ""


HEVC = "hvc1"  # without it Apple's players show no H.265
ENCODERS: dict[str, Encoder] = {
    one.name: one
    for one in (
        Encoder(name="libx264", options=X264, live={"tune": "zerolatency"}),
        Encoder(name="libx265", options=X265, live={"tune": "zerolatency"}, tag=HEVC),
        Encoder(name="h264_nvenc", options=NVENC, live={"tune": "ull", "zerolatency": "1"}),
        Encoder(
            name="hevc_nvenc",
            options=NVENC | {"cq": "26"},
            live={"tune": "ull", "zerolatency": "1"},
            tag=HEVC,
        ),
        Encoder(name="h264_qsv", options=QSV, live={"async_depth": "1"}, pix_fmt="nv12"),
        Encoder(
            name="hevc_qsv",
            options={key: value for key, value in QSV.items() if key != "look_ahead"},
            live={"async_depth": "1"},
            pix_fmt="nv12",
            tag=HEVC,
        ),
        Encoder(name="h264_amf", options=AMF, live={"usage": "ultralowlatency"}),
        Encoder(name="hevc_amf", options=AMF, live={"usage": "ultralowlatency"}, tag=HEVC),
        Encoder(name="h264_videotoolbox", options=APPLE, live={"realtime": "1"}),
        Encoder(name="hevc_videotoolbox", options=APPLE, live={"realtime": "1"}, tag=HEVC),
    )
}
CARDS = ("h264_nvenc", "h264_qsv", "h264_amf", "h264_videotoolbox")  # that "auto" tries, in order


def encoder_for(name: str) -> Encoder:
    """The encoder of a name of ENCODERS; for "auto" a graphics card's, else the default.

    Raises:
        DeviceError: it does not open here.
    """
    if name == AUTO:
        name = next((one for one in CARDS if opens(one)), DEFAULT)
        logger.info("--encoder auto: %s", name)
    if name != DEFAULT and not opens(name):
        have = ", ".join(one for one in ENCODERS if opens(one))
        raise DeviceError(f"--encoder {name} does not open here (it needs its graphics card and "
                          f"driver): here are {have}")  # fmt: skip
    return ENCODERS[name]


@cache
def opens(name: str) -> bool:
    """True if an encoder of ENCODERS opens here: a small one is opened to see."""
    import av

    encoder = ENCODERS[name]
    try:
        context = av.CodecContext.create(name, "w")
        assert isinstance(context, av.VideoCodecContext)
        context.width = context.height = TRIAL_SIDE
        context.pix_fmt, context.options = encoder.pix_fmt, dict(encoder.options)
        context.framerate, context.time_base = Fraction(30), Fraction(1, 30)
        context.open()
    except (av.FFmpegError, OSError, ValueError):  # the last: FFmpeg was built without it
        return False
    return True
